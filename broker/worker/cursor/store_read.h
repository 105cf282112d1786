/*
 * store_read: the workers' half of the store: the history behind a cursor, for
 * a set of channels, in short steps. See shared/store.h for the tables.
 */
#ifndef SSEMUX_WORKER_CURSOR_STORE_READ_H
#define SSEMUX_WORKER_CURSOR_STORE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/event.h"

struct store_reader;

/* Opens the store for reading. NULL: logged. */
struct store_reader *store_reader_open(const char *path);
void store_reader_close(struct store_reader *reader);

/* Of each event. */
enum store_columns {
	STORE_WHOLE,
	STORE_NAMES, /* all but the data, which is empty */
};

/* What to read. */
struct store_request {
	const struct slice *patterns; /* valid ones */
	size_t pattern_count;
	uint64_t after; /* the cursor */
	uint64_t until; /* the newest that is wanted */
	int rows;       /* looked at in this step at most */
	size_t bytes;   /* of data looked at: with so many the step is over; 0:
			 * there is no such bound */
	enum store_columns columns;
	bool latest; /* only of channels that keep the latest of each key */
};

/* Does one of the request's patterns cover the channel? */
bool store_request_covers(
    const struct store_request *request, struct slice channel);

/* Everything of one step is read from one snapshot. 0, or -1 (logged). */
int store_read_begin(struct store_reader *reader);
void store_read_end(struct store_reader *reader);

/*
 * Calls take() for events of the request's channels, in order, until it returns
 * false (then the event counts as not read) or the step is over. *reached gets
 * the cursor up to which nothing is left to read: request->until when all was
 * read. 0, or -1 (logged).
 */
int store_read_events(struct store_reader *reader,
    const struct store_request *request,
    bool (*take)(const struct event *event, void *context), void *context,
    uint64_t *reached);

/*
 * Calls take() for the event with this cursor, which there is. What take()
 * returned, or -1 (logged).
 */
int store_read_event(struct store_reader *reader, uint64_t cursor,
    bool (*take)(const struct event *event, void *context), void *context);

/*
 * Which channels of the request lost events after its cursor, as far as that
 * was not reported up to trimming step *losses, which is moved on. Calls
 * lost() with the name of each such channel; or, for what lies so far back
 * that names are forgotten or very many, with the patterns. Looks at a bounded
 * number of rows. 0, or -1 (logged).
 */
int store_read_losses(struct store_reader *reader,
    const struct store_request *request, uint64_t *losses,
    void (*lost)(struct slice name, void *context), void *context);

/* The newest cursor let go on any channel, and the trimming steps so far. 0, or
 * -1 (logged). */
int store_read_horizon(
    struct store_reader *reader, uint64_t *max_horizon, uint64_t *losses);

/* The cursor that the store was made at: it gave none before; 0: not known. 0,
 * or -1 (logged). */
int store_read_birth(struct store_reader *reader, uint64_t *birth);

/* A row of the table revocation; see shared/store.h. */
struct store_revoked {
	uint64_t number;
	struct slice user;
	struct slice pattern;
	uint64_t at_ms;
	bool restores; /* takes earlier ones back */
};

/*
 * Calls take() for revocations behind number `after`, in order, for `rows` of
 * them at most; outside of a step. How many they were, or -1 (logged).
 */
int store_read_revocations(struct store_reader *reader, uint64_t after,
    int rows, void (*take)(const struct store_revoked *row, void *context),
    void *context);

#endif
