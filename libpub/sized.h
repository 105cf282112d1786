/* sized: structs of the public header, whose first member is their size. */
#ifndef SSEMUX_LIBPUB_SIZED_H
#define SSEMUX_LIBPUB_SIZED_H

#include <stddef.h>

/*
 * Copies a struct of a caller that may know fewer or more members than this
 * version. Members it does not know stay as they are in known; members that
 * this version does not know must be zero. 0; or -1 with EINVAL: not zero, or
 * smaller than the first version was.
 */
int sized_copy(
    void *known, size_t known_size, const void *given, size_t given_size);

#endif
