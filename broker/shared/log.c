/*
 * log: lines to standard error. See log.h.
 *
 * A line goes out with one write(2) and is no longer than PIPE_BUF, so lines
 * of several processes never mix. What cannot be written is lost, and the next
 * line that can says so: a full pipe must not stop the broker. Its descriptor
 * may be others', too, so it is not made non-blocking, but asked.
 */
#include "broker/shared/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/utf8.h"

enum {
	ROLE_SIZE = 32,
	TEXT_SIZE = 1024, /* before escaping */
	LINE_SIZE = 2048, /* below PIPE_BUF, with the escapes */
	ESCAPE_LEN = 4,   /* \xNN */
};

/* The only state: one severity and one role for the process, and how many
 * lines could not be written since the last that could. */
static enum log_level least = LOG_INFO;
static char own_role[ROLE_SIZE];
static unsigned long lost;

struct line {
	char bytes[LINE_SIZE];
	size_t len;
};

void
log_set_level(enum log_level level)
{
	least = level;
}

void
log_set_role(const char *role)
{
	snprintf(own_role, sizeof(own_role), "%s", role);
}

/* Does a byte have to be escaped, so that it neither ends the line nor moves a
 * terminal's cursor? utf8: bytes from 0x80 on are whole characters. */
static bool
is_control(const char *text, size_t at, bool utf8)
{
	unsigned char c = (unsigned char)text[at];

	if (c < 0x20 || c == 0x7F)
		return true;
	if (c < 0x80)
		return false;
	if (!utf8)
		return true;
	/* U+0080 to U+009F are C2 80 to C2 9F. */
	return (c == 0xC2 && (unsigned char)text[at + 1] < 0xA0) ||
	       (c < 0xA0 && (unsigned char)text[at - 1] == 0xC2);
}

static void
line_append(struct line *line, const char *text)
{
	size_t len = strlen(text);
	bool utf8 = utf8_valid(text, len);

	for (size_t i = 0; i < len; i++) {
		/* Room for one escape, the end of a character, "..." and the
		 * line feed. */
		if (line->len + ESCAPE_LEN * 2 + 4 > sizeof(line->bytes)) {
			memcpy(line->bytes + line->len, "...", 3);
			line->len += 3;
			return;
		}
		if (!is_control(text, i, utf8)) {
			line->bytes[line->len++] = text[i];
			continue;
		}
		snprintf(line->bytes + line->len, ESCAPE_LEN + 1, "\\x%02x",
		    (unsigned char)text[i]);
		line->len += ESCAPE_LEN;
	}
}

/* Marks that the text went on, and leaves no part of a character before. */
static void
mark_cut(char text[TEXT_SIZE])
{
	static const char mark[] = "...";
	size_t at = TEXT_SIZE - sizeof(mark);

	while (at > 0 && ((unsigned char)text[at - 1] & 0xC0) == 0x80)
		at--;
	if (at > 0 && (unsigned char)text[at - 1] >= 0xC0)
		at--;
	memcpy(text + at, mark, sizeof(mark));
}

/* Has a pipe or a socket no room? What cannot be asked is written to. */
static bool
is_full(void)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) == 0;
}

static bool
write_out(const char *severity, const char *text)
{
	struct line line = {.len = 0};
	ssize_t written;

	line_append(&line, "ssemuxd: ");
	line_append(&line, own_role);
	line_append(&line, own_role[0] == '\0' ? "" : ": ");
	line_append(&line, severity);
	line_append(&line, ": ");
	line_append(&line, text);
	line.bytes[line.len++] = '\n';
	if (is_full())
		return false;
	do
		written = write(STDERR_FILENO, line.bytes, line.len);
	while (written < 0 && errno == EINTR);
	return written >= 0;
}

static bool
say_lost(void)
{
	char text[64];

	snprintf(text, sizeof(text), "%lu lines could not be logged", lost);
	return write_out("warn", text);
}

__attribute__((format(printf, 2, 0))) static void
write_line(const char *severity, const char *format, va_list args)
{
	char text[TEXT_SIZE];
	int saved_errno = errno;
	int len = vsnprintf(text, sizeof(text), format, args);

	if (len >= TEXT_SIZE)
		mark_cut(text);
	if (lost > 0 && say_lost())
		lost = 0;
	if (lost > 0 || !write_out(severity, len < 0 ? format : text))
		lost++;
	errno = saved_errno;
}

void
log_debug(const char *format, ...)
{
	va_list args;

	if (least > LOG_DEBUG)
		return;
	va_start(args, format);
	write_line("debug", format, args);
	va_end(args);
}

void
log_info(const char *format, ...)
{
	va_list args;

	if (least > LOG_INFO)
		return;
	va_start(args, format);
	write_line("info", format, args);
	va_end(args);
}

void
log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line("warn", format, args);
	va_end(args);
}

void
log_fatal(int exit_code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line("fatal", format, args);
	va_end(args);
	exit(exit_code);
}

void
log_panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line("panic", format, args);
	va_end(args);
	abort();
}
