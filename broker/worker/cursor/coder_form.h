/*
 * coder_form: what a coding is to coder.h: a row of functions. For coder.c and
 * the rooms of the codings, each the only one that knows its library.
 */
#ifndef SSEMUX_WORKER_CURSOR_CODER_FORM_H
#define SSEMUX_WORKER_CURSOR_CODER_FORM_H

#include <stddef.h>
#include <stdint.h>

#include "broker/worker/cursor/coder.h"
#include "protocol/slice.h"

struct buf;

struct coder_form {
	/* A compressor, for any number of streams. NULL: no memory. */
	void *(*create)(int level);
	void (*destroy)(void *compressor); /* which is not NULL */

	void (*append_head)(struct buf *out);
	void (*append_end)(struct buf *out, const struct coder_sum *sum);

	/* A piece with a text as it is, and how long that is. */
	void (*append_stored)(struct buf *out, struct slice text);
	size_t (*stored_len)(size_t text_len);

	/*
	 * Makes a piece in room for size bytes, of a text within the bounds
	 * that coder.h has for it and the one before. Its length; 0: it needs
	 * more.
	 */
	size_t (*compress)(void *compressor, char *room, size_t size,
	    struct slice text, struct slice before);

	/* What coder_price() is for. */
	unsigned (*price)(const void *compressor);

	/* What coder_aim() is for; NULL: there is no choice. */
	void (*aim)(void *compressor, enum coder_aim aim);

	/* The checksum of what follows what has that one, which is 0 of
	 * nothing; and of two together. NULL: an end has none. */
	uint32_t (*checksum)(uint32_t checksum, struct slice text);
	uint32_t (*join)(uint32_t first, const struct coder_sum *next);
};

extern const struct coder_form gzip_form;
extern const struct coder_form zstd_form; /* if it is built */

#endif
