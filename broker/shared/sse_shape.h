/*
 * sse_shape: how the events of a stream are written.
 *
 *	tagged	    data: {"channel":..,"type":..,"key":..,"ts":..,"data":..}
 *	raw	    data: the event's data as it is
 *	envelope    data: {"NAME":SOURCE,...}, with names of one's own
 *
 * Of a snapshot, a tagged event has "snapshot":true behind its ts.
 *
 * In tagged and envelope, data that is JSON stands as it is, text as a JSON
 * string, bytes as a JSON string of base64; type and key of an event that has
 * none are left out.
 */
#ifndef SSEMUX_SHARED_SSE_SHAPE_H
#define SSEMUX_SHARED_SSE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/slice.h"

enum sse_format { SSE_TAGGED, SSE_RAW, SSE_ENVELOPE, SSE_FORMAT_COUNT };

/* What a field of an envelope holds. */
enum sse_source {
	SSE_CHANNEL,
	SSE_CHANNEL_LAST, /* the channel behind its last ':' */
	SSE_TYPE,
	SSE_KEY,
	SSE_TS,       /* Unix time in milliseconds */
	SSE_DATA,     /* the event's data */
	SSE_CURSOR,   /* "MS-SEQ" */
	SSE_SNAPSHOT, /* true; left out of what is new */
	SSE_SOURCE_COUNT
};

enum {
	SSE_FIELDS_MAX = 16,
	SSE_FIELD_NAME_MAX = 32, /* bytes */
};

struct sse_field {
	enum sse_source source;
	unsigned name_len;
	char name[SSE_FIELD_NAME_MAX + 3]; /* "NAME": as JSON has it */
};

/* A value: it owns nothing. */
struct sse_shape {
	enum sse_format format;
	bool names_events; /* an event's type is its name */
	bool snapshot; /* they are no news, and say so; without an id, for who
			* has one of them need not have those before */
	size_t field_count;
	struct sse_field fields[SSE_FIELDS_MAX];
};

/* The two that need no configuration. */
extern const struct sse_shape sse_tagged;
extern const struct sse_shape sse_raw;

/*
 * Adds a field to an envelope, from "NAME:SOURCE". The name is 1 to 32 bytes
 * of printable text without quote, backslash, comma and colon. 0; -1: it is
 * none, or its name is there already, or there are too many.
 */
int sse_shape_add_field(struct sse_shape *shape, struct slice text);

/* Do they give the same bytes? */
bool sse_shape_equal(const struct sse_shape *a, const struct sse_shape *b);

#endif
