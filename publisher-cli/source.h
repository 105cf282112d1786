/* source: the events to publish, one after the other, as the options say. */
#ifndef SSEMUX_CLI_SOURCE_H
#define SSEMUX_CLI_SOURCE_H

#include "publisher-cli/json_line.h"
#include "publisher-cli/lines.h"
#include "publisher-cli/options.h"

enum { SOURCE_ERROR_SIZE = JSON_LINE_ERROR_SIZE };

struct source {
	const struct options *options;
	bool is_single; /* one event, not lines */
	bool is_over;
	struct lines lines;
	char *file_bytes;
	struct json_line *json_line;
	char error[SOURCE_ERROR_SIZE];
	int exit_code; /* with SOURCE_BROKEN */
};

enum source_next {
	SOURCE_EVENT, /* *event, valid until the next call */
	SOURCE_BAD,   /* a line that is no event; error says why */
	SOURCE_WAIT,  /* source_read() when source_fd() is readable */
	SOURCE_END,
	SOURCE_BROKEN, /* the input cannot be read; error says why */
};

void source_init(struct source *source, const struct options *options);
void source_finish(struct source *source);

/* max_event: the longest data the broker takes, in bytes. */
enum source_next source_next(
    struct source *source, size_t max_event, struct ssemux_pub_event *event);

/* Descriptor of the lines. */
int source_fd(const struct source *source);

/* Reads once. 0; or -1 and error says why. */
int source_read(struct source *source);

/* The line of the event, from 1; 0: the input has no lines. */
uint64_t source_line(const struct source *source);

#endif
