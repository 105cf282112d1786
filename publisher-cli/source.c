/* source: from arguments, files and lines to events. See source.h. */
#include "publisher-cli/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	/* A -j line may be so much longer than its data: six characters for
	 * one byte, "\u0041", and the other members. */
	JSON_ESCAPE_BYTES = 6,
	JSON_LINE_EXTRA_BYTES = 16 * 1024,
};

void
source_init(struct source *source, const struct options *options)
{
	*source = (struct source){.options = options};
	source->is_single =
	    options->input != INPUT_LINES && options->input != INPUT_JSON_LINES;
	lines_init(&source->lines, STDIN_FILENO, 0);
}

void
source_finish(struct source *source)
{
	lines_finish(&source->lines);
	free(source->file_bytes);
	json_line_free(source->json_line);
}

static enum source_next
fail(struct source *source, int exit_code, const char *what, const char *why)
{
	snprintf(
	    source->error, sizeof(source->error), "%.128s: %.100s", what, why);
	source->exit_code = exit_code;
	return SOURCE_BROKEN;
}

/* Reads to the end, but no more than max bytes. -1 with errno; EFBIG. */
static ssize_t
read_whole(int fd, char *bytes, size_t max)
{
	size_t len = 0;

	for (;;) {
		ssize_t got = read(fd, bytes + len, max + 1 - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -1 : (ssize_t)len;
		len += (size_t)got;
		if (len > max) {
			errno = EFBIG;
			return -1;
		}
	}
}

static enum source_next
next_file(
    struct source *source, size_t max_event, struct ssemux_pub_event *event)
{
	const char *file = source->options->file;
	bool is_stdin = strcmp(file, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (is_stdin)
		file = "standard input";
	if (fd < 0)
		return fail(source, EX_NOINPUT, file, strerror(errno));
	source->file_bytes = malloc(max_event + 1);
	len = source->file_bytes == NULL
		  ? -1
		  : read_whole(fd, source->file_bytes, max_event);
	if (!is_stdin)
		close(fd);
	if (len < 0 && errno == EFBIG)
		return fail(source, EX_DATAERR, file,
		    "longer than the broker takes (publish.max_event)");
	if (len < 0)
		return fail(source, EX_IOERR, file, strerror(errno));
	event->data = source->file_bytes;
	event->data_bytes = (size_t)len;
	return SOURCE_EVENT;
}

static enum source_next
next_single(
    struct source *source, size_t max_event, struct ssemux_pub_event *event)
{
	if (source->is_over)
		return SOURCE_END;
	source->is_over = true;
	if (source->options->input == INPUT_FILE)
		return next_file(source, max_event, event);
	event->data = source->options->data;
	event->data_bytes = strlen(source->options->data);
	return SOURCE_EVENT;
}

static bool
is_blank(const char *line, size_t len)
{
	while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL &&
	       line[len - 1] != '\0')
		len--;
	return len == 0;
}

static enum source_next
next_json_line(struct source *source, const char *line, size_t len,
    struct ssemux_pub_event *event)
{
	json_line_free(source->json_line);
	source->json_line = json_line_read(line, len, event, source->error);
	return source->json_line != NULL ? SOURCE_EVENT : SOURCE_BAD;
}

static size_t
longest_line(const struct source *source, size_t max_event)
{
	if (source->options->input == INPUT_LINES)
		return max_event;
	return max_event * JSON_ESCAPE_BYTES + JSON_LINE_EXTRA_BYTES;
}

static enum source_next
next_line(
    struct source *source, size_t max_event, struct ssemux_pub_event *event)
{
	const char *line;
	size_t len;

	source->lines.max = longest_line(source, max_event);
	for (;;) {
		switch (lines_next(&source->lines, &line, &len)) {
		case LINES_WAIT:
			return SOURCE_WAIT;
		case LINES_END:
			return SOURCE_END;
		case LINES_LONG:
			snprintf(source->error, sizeof(source->error),
			    "longer than the broker takes, "
			    "data of %zu bytes (publish.max_event)",
			    max_event);
			return SOURCE_BAD;
		case LINES_LINE:
			break;
		}
		if (source->options->input == INPUT_LINES) {
			event->data = line;
			event->data_bytes = len;
			return SOURCE_EVENT;
		}
		if (!is_blank(line, len))
			return next_json_line(source, line, len, event);
	}
}

enum source_next
source_next(
    struct source *source, size_t max_event, struct ssemux_pub_event *event)
{
	*event = (struct ssemux_pub_event){
	    .size = sizeof(*event),
	    .channel = source->options->channel,
	    .type = source->options->type,
	    .key = source->options->key,
	    .data_is = source->options->data_is,
	    .flags = options_receipts(source->options),
	};
	return source->is_single ? next_single(source, max_event, event)
				 : next_line(source, max_event, event);
}

int
source_fd(const struct source *source)
{
	return source->lines.fd;
}

int
source_read(struct source *source)
{
	if (lines_read(&source->lines) == 0)
		return 0;
	fail(source, EX_IOERR, "standard input", strerror(errno));
	return -1;
}

uint64_t
source_line(const struct source *source)
{
	return source->is_single ? 0 : source->lines.number;
}
