/* failure: the last thing that went wrong, for ssemux_pub_error(). */
#ifndef SSEMUX_LIBPUB_FAILURE_H
#define SSEMUX_LIBPUB_FAILURE_H

#include "libpub/handle.h"

/* Each sets errno to number and returns -1. Longer texts are cut. */

/* A fault that refusal.def has a row for, found by us. */
int failure_set_fault(
    struct failure *failure, int number, const struct fault *fault);

/* A fault with a code and field that the broker sent. */
int failure_set_words(struct failure *failure, int number, struct slice code,
    struct slice field, struct slice text);

__attribute__((format(printf, 3, 4))) int failure_set(
    struct failure *failure, int number, const char *format, ...);

/* The errno for a refusal with this code. */
int failure_number_of(enum refusal refusal);

#endif
