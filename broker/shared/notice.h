/*
 * notice: what a stream says at its beginning, after catching up, and when
 * nothing happens, as its block of the configuration words it:
 *
 *	comment | none | data TEXT | event NAME TEXT
 *
 * TEXT may have placeholders, such as {ts}, which become JSON values. A brace
 * that is not followed by lower-case letters and a closing brace is itself, so
 * JSON can be written as it is. Pure.
 */
#ifndef SSEMUX_SHARED_NOTICE_H
#define SSEMUX_SHARED_NOTICE_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/slice.h"

struct buf;

enum notice_kind {
	NOTICE_NONE,
	NOTICE_COMMENT,
	NOTICE_DATA,  /* without a name */
	NOTICE_EVENT, /* with a name */
};

enum notice_placeholder {
	NOTICE_CHANNELS,  /* [pattern, ...] */
	NOTICE_REFUSED,   /* [pattern, ...], in a greeting only */
	NOTICE_CURSOR,    /* "MS-SEQ" */
	NOTICE_TS,        /* Unix time in milliseconds */
	NOTICE_STREAM,    /* the stream's id */
	NOTICE_USER,      /* who the stream belongs to */
	NOTICE_HEARTBEAT, /* seconds */
	NOTICE_PLACEHOLDER_COUNT
};

struct notice {
	enum notice_kind kind;
	char *name; /* of an EVENT; else NULL */
	char *text; /* of DATA and EVENT; else NULL */
};

/*
 * Reads one; which placeholders it may have is a set of bits, 1 <<
 * enum notice_placeholder. 0; or -1 with errno ENOMEM, or EINVAL and what was
 * expected in expected[] (size bytes; "" when that is the general form), and
 * *notice needs no finish.
 */
int notice_read(struct notice *notice, struct slice text, unsigned allowed,
    char *expected, size_t size);
void notice_finish(struct notice *notice);

/* Appends the text, calling append() for the value of each placeholder. */
void notice_append_text(struct buf *buf, const struct notice *notice,
    void (*append)(struct buf *buf, enum notice_placeholder placeholder,
	const void *context),
    const void *context);

#endif
