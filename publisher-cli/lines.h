/*
 * lines: the lines of an input, as they come, within a bound.
 *
 * A line is given out as soon as its end was read: from a live pipe each line
 * comes at once. The last line may lack its line feed. A carriage return is
 * part of the line.
 */
#ifndef SSEMUX_CLI_LINES_H
#define SSEMUX_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lines {
	int fd;
	size_t max; /* bytes of a line, without its line feed */
	char *bytes;
	size_t start, end, size;
	size_t searched; /* no line feed between start and there */
	uint64_t number; /* of the line given out last; the first is 1 */
	uint64_t taken;  /* bytes read so far */
	bool at_end;     /* the input has ended */
	bool dropping;   /* in the rest of a line that is too long */
};

/* Reads from fd, which stays the caller's. */
void lines_init(struct lines *lines, int fd, size_t max);

/* Frees the memory. */
void lines_finish(struct lines *lines);

enum lines_next {
	LINES_LINE, /* *line and *len, valid until the next lines_read() */
	LINES_LONG, /* a line longer than max; it is passed over */
	LINES_WAIT, /* call lines_read() when there is something to read */
	LINES_END,
};

enum lines_next lines_next(struct lines *lines, const char **line, size_t *len);

/* Reads once. 0; or -1 with errno. */
int lines_read(struct lines *lines);

#endif
