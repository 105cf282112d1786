/*
 * unpack: a compressed stream, gzip or zstd, as it comes in. An event that has
 * come whole is handed on at once, or the stream is of no use.
 */
#ifndef SSEMUX_BENCH_UNPACK_H
#define SSEMUX_BENCH_UNPACK_H

#include <stddef.h>

struct unpack;

enum unpack_coding { UNPACK_NOTHING, UNPACK_GZIP, UNPACK_ZSTD };

typedef void unpack_on_bytes(const char *bytes, size_t len, void *context);

/* NULL: no memory; or zstd, which this was built without. */
struct unpack *unpack_create(enum unpack_coding coding);
void unpack_destroy(struct unpack *unpack);

/* Hands on what these bytes hold. 0; or -1: they are not of that coding. */
int unpack_take(struct unpack *unpack, const char *bytes, size_t len,
    unpack_on_bytes *on_bytes, void *context);

#endif
