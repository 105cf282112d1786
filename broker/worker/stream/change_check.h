/*
 * change_check: what a change of a live stream asks for, and whether it may be.
 * For change*.c only.
 */
#ifndef SSEMUX_WORKER_STREAM_CHANGE_CHECK_H
#define SSEMUX_WORKER_STREAM_CHANGE_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "broker/worker/access/grants.h"
#include "broker/worker/cursor/stream_start.h"
#include "broker/worker/stream/change_apply.h"
#include "broker/worker/stream/stream_filter.h"
#include "protocol/buf.h"
#include "protocol/slice.h"

struct subscriber;
struct worker;

/* Everything about a change on its way. */
struct changing {
	struct worker *worker;
	struct subscriber *subscriber;
	struct grants grants;
	const json_t *body;
	const json_t *subscribe;   /* a list of texts; NULL: none */
	const json_t *unsubscribe; /* the same */
	struct stream_wish types;
	struct stream_wish keys;
	struct stream_start start; /* of what is added */
	struct buf added;          /* lists of names, see control_list_add() */
	struct buf refused;
	struct buf removed;
	size_t add_count;
};

/* A text of JSON. */
struct slice change_text(const json_t *text);

/* Reads types and keys, and sorts out what is to be added from what is refused.
 * False: the change is refused, and the outcome says why. */
bool change_check(struct changing *changing, struct outcome *outcome);

#endif
