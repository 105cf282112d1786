/*
 * unpack: a gzip stream, as it comes in. An event that has come whole is handed
 * on at once, or the stream is of no use.
 */
#ifndef SSEMUX_BENCH_UNPACK_H
#define SSEMUX_BENCH_UNPACK_H

#include <stddef.h>

struct unpack;

typedef void unpack_on_bytes(const char *bytes, size_t len, void *context);

/* NULL: no memory. */
struct unpack *unpack_create(void);
void unpack_destroy(struct unpack *unpack);

/* Hands on what these bytes hold. 0; or -1: they are no gzip. */
int unpack_take(struct unpack *unpack, const char *bytes, size_t len,
    unpack_on_bytes *on_bytes, void *context);

#endif
