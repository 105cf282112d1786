/*
 * json_line: one line of `ssemux-pub -j`, a JSON object with the members
 * channel, type, key and data. Read strictly: RFC 8259, no name twice, no
 * other member.
 */
#ifndef SSEMUX_CLI_JSON_LINE_H
#define SSEMUX_CLI_JSON_LINE_H

#include <stddef.h>

#include <ssemux/pub.h>

enum { JSON_LINE_ERROR_SIZE = 256 };

struct json_line;

/*
 * Reads a line into *event: what it says replaces what stood there, what it
 * does not say stays. data that is a string becomes text that stays text; any
 * other value is taken as it is written, byte for byte.
 *
 * Returns what *event points into beside the line, to be freed with
 * json_line_free(); or NULL with a message in error.
 */
struct json_line *json_line_read(const char *line, size_t len,
    struct ssemux_pub_event *event, char error[JSON_LINE_ERROR_SIZE]);

void json_line_free(struct json_line *json_line); /* NULL is allowed */

#endif
