/*
 * store_write: the hub's half of the store. One writer; see shared/store.h for
 * the tables.
 */
#ifndef SSEMUX_HUB_STORE_WRITE_H
#define SSEMUX_HUB_STORE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/shared/record.h"

struct config;
struct store_writer;

/* What is in the store, and how far. */
struct store_totals {
	uint64_t last_cursor; /* newest cursor ever given; 0: none yet */
	uint64_t events;
	uint64_t bytes; /* of channel, type, key and data */
	uint64_t channels;
	uint64_t losses;      /* trimming steps so far */
	uint64_t max_horizon; /* newest cursor let go on any channel */
	uint64_t floor;       /* horizon of channels not remembered */
	uint64_t birth;       /* every cursor is above; 0: not known */
	/* Of these, what does not count for the bounds that channels share: */
	uint64_t exempt_events;
	uint64_t exempt_bytes;
};

/* A publisher as the store knows it. */
struct store_publisher {
	int64_t id;        /* 0: not in the store yet */
	uint64_t last_seq; /* the newest number stored; 0: none */
	uint64_t unswept;  /* events since old numbers were forgotten */
};

/* One event of a batch. */
struct store_item {
	struct record *record; /* with its cursor */
	struct store_publisher *publisher;
	uint64_t seq;
};

/* Opens the store at path, makes it when needed. NULL: logged. */
struct store_writer *store_writer_open(
    const char *path, const char *synchronous);
void store_writer_close(struct store_writer *writer);

/*
 * Keeps channels by the [channel] blocks of the configuration, which must
 * outlast the writer. When these are not those of the last time, all that is
 * there is counted anew, and of channels that keep the latest only, what was
 * superseded goes. Before the first batch. 0, or -1 (logged).
 */
int store_keep_by(struct store_writer *writer, const struct config *config);

/*
 * Keeps so many bytes of the disk in a file beside the store (0: none). They
 * are given up when the disk is full; store_begin() fails then until there is
 * room on the disk again, or in the store, where retention has made some. To be
 * tended once a second. 0, or -1 (logged).
 */
int store_reserve_open(
    struct store_writer *writer, const char *store_path, uint64_t bytes);
void store_reserve_tend(struct store_writer *writer);

/* Is it given up? */
bool store_is_full(const struct store_writer *writer);

const struct store_totals *store_writer_totals(
    const struct store_writer *writer);

/*
 * Looks a publisher up by name; one that is unknown gets id 0 and is made by
 * the first batch with an event of its. 0, or -1 (logged).
 */
int store_find_publisher(struct store_writer *writer, struct slice name,
    struct store_publisher *publisher);

/* Makes a publisher that has id 0, inside a batch. 0, or -1. */
int store_make_publisher(struct store_writer *writer, struct slice name,
    struct store_publisher *publisher);

/* Inside a batch: forgets the publisher and its numbers. 0, or -1 (logged). */
int store_forget_publisher(
    struct store_writer *writer, const struct store_publisher *publisher);

/*
 * Looks at up to `rows` publishers, from where the last call stopped, and
 * forgets those whose newest event was accepted before before_ms, and that
 * nobody keeps: a connection goes on using its publisher's id. Publishers of
 * keys ("+k...") are forgotten as soon as their newest event was let go. The
 * number forgotten; -1: failed (logged).
 */
int store_forget_old_publishers(struct store_writer *writer, uint64_t before_ms,
    int rows, bool (*keeps)(int64_t id, void *context), void *context);

/* The cursor that a stored event of the publisher got: 1 found, 0 there is
 * none (it was refused, or is forgotten), -1 failed (logged). */
int store_find_cursor(struct store_writer *writer,
    const struct store_publisher *publisher, uint64_t seq, uint64_t *cursor);

/*
 * A batch: begin, items in order of their cursors, commit. Whatever fails,
 * nothing of the batch is stored: the answer is -1 (logged; but for want of
 * room, which is logged when that begins), and the caller calls
 * store_rollback(). Items whose sequence numbers and cursors follow each other
 * become one run.
 */
int store_begin(struct store_writer *writer);
int store_add(struct store_writer *writer, const struct store_item *item);
int store_commit(struct store_writer *writer);
void store_rollback(struct store_writer *writer);

/* Calls take() for events above `after`, in order, until it returns false.
 * 0, or -1 (logged). */
int store_replay(struct store_writer *writer, uint64_t after,
    bool (*take)(const struct event *event, void *context), void *context);

/* From where on the events above `after` make up `bytes` of records at most:
 * *cursor gets `after`, or a newer one. 0, or -1 (logged). */
int store_find_tail(struct store_writer *writer, uint64_t after, uint64_t bytes,
    uint64_t *cursor);

/* What is kept at most, of all channels but those with bounds of their own. */
struct store_limits {
	uint64_t max_age_ms;
	uint64_t max_events;
	uint64_t max_bytes;
	uint64_t max_channels;
};

enum { STORE_TRIM_ROWS_MAX = 8192 };

/*
 * Lets go of what is over the limits, the oldest first, and of what is past the
 * rules of its channel. Looks at most at `rows` events of either kind in one
 * transaction (at most STORE_TRIM_ROWS_MAX). The number of events let go, and
 * whether there may be more to do; -1: failed (logged).
 */
int store_trim(struct store_writer *writer, const struct store_limits *limits,
    uint64_t now_ms, int rows, bool *more);

/*
 * Moves committed pages from the log into the database file, when those that
 * came since the last time are enough to be worth it. Readers are not
 * disturbed; while one reads, the log cannot begin anew, and grows. Once it is
 * long, they are waited for: for 20 ms at 32 MiB, at most for ten times that.
 * With a mover, that is done by a thread of its own, and nobody waits for the
 * disk; to be called often. 0, or -1 when a checkpoint has failed (logged).
 */
int store_checkpoint(struct store_writer *writer);

/* Starts the mover; when it cannot be had (logged), there is none. */
void store_start_mover(
    struct store_writer *writer, const char *path, const char *synchronous);

#endif
