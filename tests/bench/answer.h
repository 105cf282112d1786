/*
 * answer: what a server answers to one GET: its head, then the body, chunked or
 * until the connection ends, byte by byte. Strict: what is no answer is broken,
 * so that a server's fault is not taken for events that are missing. Pure.
 */
#ifndef SSEMUX_BENCH_ANSWER_H
#define SSEMUX_BENCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/bench/unpack.h"

enum answer_place {
	ANSWER_HEAD,
	ANSWER_CHUNK_SIZE,
	ANSWER_CHUNK,
	ANSWER_BEHIND_CHUNK,
	ANSWER_PLAIN,  /* the body is not chunked */
	ANSWER_ENDED,  /* the last chunk, which is empty, was there */
	ANSWER_BROKEN, /* it is none; nothing more is taken */
};

enum { ANSWER_LINE = 64 };

struct answer {
	enum answer_place place;
	bool chunked;
	enum unpack_coding coding; /* of the body */
	int status;                /* 0 until it is known */
	size_t chunk_left;
	size_t size_digits; /* of the chunk's size, so far */
	size_t line_len;    /* of the head's line; the start of it is kept */
	char line[ANSWER_LINE + 1];
};

typedef void answer_on_body(const char *bytes, size_t len, void *context);

/* Takes bytes; an answer begins as all zeros. What comes behind the last chunk
 * is left alone. */
void answer_take(struct answer *answer, const char *bytes, size_t len,
    answer_on_body *on_body, void *context);

#endif
