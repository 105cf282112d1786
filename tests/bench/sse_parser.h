/*
 * sse_parser: an event stream, byte by byte, as the HTML standard has it: lines
 * end with CR, LF or both, and everything may be split anywhere. Of each line
 * and of an event's data only the start is kept.
 */
#ifndef SSEMUX_BENCH_SSE_PARSER_H
#define SSEMUX_BENCH_SSE_PARSER_H

#include <stdbool.h>
#include <stddef.h>

enum { SSE_KEPT = 192, SSE_TYPE = 24 };

struct sse_parser {
	bool carriage; /* the last byte was a CR: an LF belongs to it */
	bool has_data;
	unsigned bom;    /* bytes of a byte order mark seen at the start */
	size_t line_len; /* whole; at most SSE_KEPT of it are kept */
	size_t data_len; /* kept */
	char line[SSE_KEPT];
	char data[SSE_KEPT + 1];
	char type[SSE_TYPE];
};

/* An event: its type ("" when none) and the start of its data, a NUL behind. */
typedef void sse_on_event(const char *type, const char *data, void *context);

/* Takes bytes; a parser begins as all zeros. */
void sse_parser_take(struct sse_parser *parser, const char *bytes, size_t len,
    sse_on_event *on_event, void *context);

#endif
