/*
 * gzip_quick: raw deflate (RFC 1951) in little time, by ISA-L, where the
 * broker is built with it. For gzip.c only, which has zlib besides. Pure.
 *
 * A short text gets the codes that deflate has fixed: finding better ones
 * would take longer than all the rest. A long one gets codes of its own.
 */
#ifndef SSEMUX_WORKER_CURSOR_GZIP_QUICK_H
#define SSEMUX_WORKER_CURSOR_GZIP_QUICK_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/worker/cursor/coder.h"
#include "protocol/slice.h"

struct gzip_quick;

/* Levels that are for it; higher ones are worth zlib's time. */
enum { GZIP_QUICK_LEVEL_MAX = 3 };

/* Is the broker built with ISA-L? Without, the rest is not to be called. */
bool gzip_quick_is_there(void);

/* About 170 kB. NULL: no memory. */
struct gzip_quick *gzip_quick_create(int level);
void gzip_quick_destroy(struct gzip_quick *quick);

/* To save time, a long text gets the fixed codes, too. */
void gzip_quick_aim(struct gzip_quick *quick, enum coder_aim aim);

/*
 * Compresses the text, which may refer to what is right before it, up to the
 * end of a byte, into room for size bytes. Returns its length; 0: it is not
 * some bytes shorter than the room.
 */
size_t gzip_quick_compress(struct gzip_quick *quick, char *room, size_t size,
    struct slice text, struct slice before);

#endif
