/*
 * zstd_block: headers of zstd's blocks (RFC 8878, 3.1.1.2). Pure.
 */
#ifndef SSEMUX_WORKER_CURSOR_ZSTD_BLOCK_H
#define SSEMUX_WORKER_CURSOR_ZSTD_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

enum {
	ZSTD_BLOCK_HEAD_BYTES = 3,
	ZSTD_BLOCK_MAX = 131072, /* bytes of text, or of the block itself */
};

enum zstd_block_type {
	ZSTD_BLOCK_RAW,
	ZSTD_BLOCK_RUN,
	ZSTD_BLOCK_COMPRESSED,
	ZSTD_BLOCK_RESERVED,
};

struct zstd_block {
	bool last;
	enum zstd_block_type type;
	uint32_t size;       /* as the head has it: of a run, how long it is */
	struct slice inside; /* behind the head */
};

/* Takes the first block off what is left. False: it is cut, or of a type that
 * does not exist. */
bool zstd_block_next(struct slice *left, struct zstd_block *block);

/* Writes the head of a block that is not the last. */
void zstd_block_write_head(
    char head[ZSTD_BLOCK_HEAD_BYTES], enum zstd_block_type type, size_t size);

/* Is every table that the blocks use in themselves? False, too, if they are no
 * blocks up to one that is the last, and nothing else. */
bool zstd_block_have_tables(struct slice blocks);

#endif
