/* lines: cutting an input into lines. See lines.h. */
#include "publisher-cli/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

void
lines_init(struct lines *lines, int fd, size_t max)
{
	*lines = (struct lines){.fd = fd, .max = max};
}

void
lines_finish(struct lines *lines)
{
	free(lines->bytes);
	lines->bytes = NULL;
}

static void
consume(struct lines *lines, size_t len)
{
	lines->start += len;
	lines->searched = lines->start;
	if (lines->start == lines->end)
		lines->start = lines->end = lines->searched = 0;
}

/* Drops what is left of a line that is too long; true at its end. */
static bool
drop_rest(struct lines *lines)
{
	size_t held = lines->end - lines->start;
	const char *feed =
	    held > 0 ? memchr(lines->bytes + lines->start, '\n', held) : NULL;

	if (feed == NULL) {
		consume(lines, held);
		return lines->at_end;
	}
	consume(lines, (size_t)(feed - (lines->bytes + lines->start)) + 1);
	return true;
}

static enum lines_next
give_out(struct lines *lines, size_t len, size_t passed, const char **line,
    size_t *line_len)
{
	lines->number++;
	*line = lines->bytes + lines->start;
	*line_len = len;
	consume(lines, passed);
	return len > lines->max ? LINES_LONG : LINES_LINE;
}

enum lines_next
lines_next(struct lines *lines, const char **line, size_t *len)
{
	const char *feed = NULL;
	size_t held;

	if (lines->dropping && drop_rest(lines))
		lines->dropping = false;
	held = lines->end - lines->start;
	if (lines->searched < lines->end)
		feed = memchr(lines->bytes + lines->searched, '\n',
		    lines->end - lines->searched);
	if (feed != NULL) {
		held = (size_t)(feed - (lines->bytes + lines->start));
		return give_out(lines, held, held + 1, line, len);
	}
	lines->searched = lines->end;
	if (held > lines->max) {
		lines->dropping = true;
		return give_out(lines, held, held, line, len);
	}
	if (!lines->at_end)
		return LINES_WAIT;
	if (held == 0)
		return LINES_END;
	return give_out(lines, held, held, line, len);
}

/* Room for READ_BYTES more at the end; the bound on a line bounds it too. */
static int
make_room(struct lines *lines)
{
	size_t held = lines->end - lines->start;
	char *bytes;

	if (lines->size - lines->end >= READ_BYTES)
		return 0;
	if (lines->start > 0) {
		memmove(lines->bytes, lines->bytes + lines->start, held);
		lines->searched -= lines->start;
		lines->start = 0;
		lines->end = held;
	}
	if (lines->size - lines->end >= READ_BYTES)
		return 0;
	bytes = realloc(lines->bytes, held * 2 + READ_BYTES);
	if (bytes == NULL)
		return -1;
	lines->bytes = bytes;
	lines->size = held * 2 + READ_BYTES;
	return 0;
}

int
lines_read(struct lines *lines)
{
	ssize_t got;

	if (make_room(lines) < 0)
		return -1;
	got = read(lines->fd, lines->bytes + lines->end, READ_BYTES);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -1;
	if (got == 0)
		lines->at_end = true;
	lines->end += (size_t)got;
	lines->taken += (uint64_t)got;
	return 0;
}
