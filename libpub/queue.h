/*
 * queue: the events that the broker has not acknowledged, in order, within a
 * bound; and behind them those that are acknowledged and wait for a receipt.
 *
 *	receipts		unacknowledged
 *	[ e1 | e2 ]		[ e3 | e4 | e5 | e6 | e7 ]
 *	  ^ first receipt	  ^ front	  ^ next to be sent
 *
 * What stands before `next` was sent on this connection. When the connection
 * breaks, queue_rewind() puts `next` back to the front: everything
 * unacknowledged is sent anew, each message from its first byte.
 */
#ifndef SSEMUX_LIBPUB_QUEUE_H
#define SSEMUX_LIBPUB_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/message.h"

/* What a receipt says; -1: nobody knows. */
struct receipt {
	int64_t notified;
	int64_t matched;
	int64_t lagging;
	int64_t filtered;
	int64_t late;
};

extern const struct receipt queue_receipt_lost;

struct entry {
	struct entry *following;
	void *ticket;
	uint64_t number; /* of all events taken, this is the n-th */
	uint64_t seq;    /* 0: has never been sent */
	uint64_t cursor; /* once acknowledged */
	struct receipt receipt;
	bool receipt_is_in;
	enum refusal refusal; /* found by us; it is not sent */
	enum message_type type;
	enum message_data data;
	uint32_t flags;
	uint16_t channel_len, type_len, key_len;
	size_t data_len;
	char bytes[]; /* channel, type, key, data */
};

struct entry_list {
	struct entry *first;
	struct entry *last;
};

struct queue {
	struct entry_list unacked;
	struct entry_list receipts;
	struct entry *next;
	size_t max_events, max_bytes;
	size_t events, bytes; /* of both lists */
	size_t unacked_events;
	size_t sent_events; /* unacknowledged, sent on this connection */
	uint64_t taken;     /* ever */
};

void queue_init(struct queue *queue, size_t max_events, size_t max_bytes);

/* Frees all entries without a word. */
void queue_finish(struct queue *queue);

/*
 * Adds a copy of a PUBLISH or RESYNC message at the end. NULL with errno:
 * EAGAIN, the bound is reached; EMSGSIZE, it alone is over the bound; ENOMEM.
 */
struct entry *queue_push(
    struct queue *queue, const struct message *message, void *ticket);

/* The message of an entry; its slices point into the entry. */
void entry_message(const struct entry *entry, struct message *message);

/* Notes that the next entry, which there must be, was sent; or will not be,
 * because of a refusal. */
void queue_pass_sent(struct queue *queue);
void queue_pass_refused(struct queue *queue, enum refusal refusal);

/* The oldest unacknowledged entry if queue_pass_sent() has passed it, the
 * oldest refused one if it stands at the front; else NULL. */
struct entry *queue_front_sent(const struct queue *queue);
struct entry *queue_front_refused(const struct queue *queue);

/* Takes the front out of the queue and gives it to the caller, who frees it
 * with free(). NULL when the list is empty. */
struct entry *queue_take_front(struct queue *queue);

/* Moves the front, acknowledged, to those that wait for a receipt. */
void queue_move_to_receipts(struct queue *queue);

/* Notes a receipt; nothing happens when nobody waits for it. */
void queue_note_receipt(struct queue *queue, const struct message *receipt);

/* Nobody knows any more: every entry that waits has a receipt that is lost. */
void queue_note_receipts_lost(struct queue *queue);

/* Takes the oldest of those that wait if its receipt is in, to be freed with
 * free(); else NULL. */
struct entry *queue_take_receipt(struct queue *queue);

/* All that is unacknowledged must be sent anew. */
void queue_rewind(struct queue *queue);

#endif
