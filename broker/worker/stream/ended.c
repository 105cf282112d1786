/* ended: streams that were. See ended.h. */
#include "broker/worker/stream/ended.h"

#include <stdlib.h>
#include <string.h>

#include "broker/shared/config.h"
#include "broker/shared/config_channel.h"
#include "broker/worker/access/permit.h"
#include "broker/worker/connection.h"
#include "broker/worker/cursor/stride.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"
#include "protocol/buf.h"

static void
forget(struct ended *ended, struct ended_row *row)
{
	if (row->text == NULL)
		return;
	ended->forgotten_ms = row->at_ms;
	free(row->text);
	row->text = NULL;
}

/* Fills the row's text; whatever has no room makes it uncertain. */
static void
note_text(struct ended_row *row, const struct subscriber *subscriber)
{
	char address[ADDRESS_TEXT_SIZE], user_text[ADDRESS_TEXT_SIZE];
	struct slice user = subscriber_user(subscriber, user_text);
	struct buf text;

	address_format(&subscriber->connection->peer, address);
	buf_init(&text, 0);
	buf_append(&text, user.bytes, user.len);
	buf_append_char(&text, '\0');
	buf_append_text(&text, address);
	buf_append_char(&text, '\0');
	for (size_t i = 0; i < subscriber->member_count; i++) {
		struct slice name = channels_pattern(&subscriber->members[i]);

		if (buf_length(&text) + name.len >= ENDED_TEXT_BYTES) {
			row->uncertain = UINT64_MAX;
			break;
		}
		buf_append(&text, name.bytes, name.len);
		buf_append_char(&text, '\0');
		row->channels++;
	}
	if (!buf_failed(&text))
		row->text = malloc(buf_length(&text));
	if (row->text != NULL)
		memcpy(row->text, buf_bytes(&text), buf_length(&text));
	buf_finish(&text);
}

/* Up to where the rules that it ended with may not be all there is to say. */
static uint64_t
uncertain_of(const struct subscriber *subscriber)
{
	bool closed =
	    subscriber->permit != NULL && subscriber->permit->closed.count > 0;

	if (subscriber->filter != NULL || subscriber->rewind != NULL || closed)
		return UINT64_MAX;
	return subscriber->changed_at;
}

void
ended_note(struct worker *worker, const struct subscriber *subscriber)
{
	struct ended *ended = &worker->ended;
	struct ended_row *row;

	if (ended->rows == NULL)
		ended->rows = calloc(ENDED_ROWS, sizeof(ended->rows[0]));
	if (ended->rows == NULL) {
		ended->forgotten_ms = worker_now_ms(worker);
		return;
	}
	row = &ended->rows[ended->count++ % ENDED_ROWS];
	forget(ended, row);
	*row = (struct ended_row){
	    .opened = subscriber->opened,
	    .snapshot_to = subscriber->snapshot_to,
	    .reached = facts_position(worker, subscriber),
	    .uncertain = uncertain_of(subscriber),
	    .at_ms = worker_now_ms(worker),
	    .conflates = subscriber->hold.conflates,
	    .reason =
		subscriber->reason != NULL ? subscriber->reason : "client",
	};
	memcpy(row->id, subscriber->id, sizeof(row->id));
	note_text(row, subscriber);
	if (row->text == NULL)
		ended->forgotten_ms = row->at_ms;
}

void
ended_finish(struct ended *ended)
{
	for (size_t i = 0; ended->rows != NULL && i < ENDED_ROWS; i++)
		free(ended->rows[i].text);
	free(ended->rows);
	ended->rows = NULL;
}

void
ended_each(const struct ended *ended,
    void (*take)(const struct ended_row *row, void *context), void *context)
{
	uint64_t first =
	    ended->count > ENDED_ROWS ? ended->count - ENDED_ROWS : 0;

	for (uint64_t i = first; i < ended->count; i++) {
		const struct ended_row *row = &ended->rows[i % ENDED_ROWS];

		if (row->text != NULL)
			take(row, context);
	}
}

struct slice
ended_user(const struct ended_row *row)
{
	return slice_of_text(row->text);
}

const char *
ended_address(const struct ended_row *row)
{
	return row->text + strlen(row->text) + 1;
}

static bool
covers(const struct ended_row *row, struct slice channel)
{
	const char *name = ended_address(row);

	for (uint32_t i = 0; i < row->channels; i++) {
		name += strlen(name) + 1;
		if (event_pattern_covers(slice_of_text(name), channel))
			return true;
	}
	return false;
}

void
ended_facts(struct verdict_facts *facts, const struct worker *worker,
    const struct ended_row *row, const struct facts_event *about)
{
	uint64_t cursor = about->event.cursor;

	*facts = (struct verdict_facts){
	    .known = about->known,
	    .kept = about->stored || about->in_window,
	    .ended = true,
	    .covered = about->known && covers(row, about->event.channel),
	    .begun = row->opened < cursor,
	    .reached = cursor <= row->reached,
	    .changed = cursor <= row->uncertain && cursor <= row->reached,
	};
	if (facts->covered && !facts->begun && cursor <= row->snapshot_to &&
	    config_channel_latest(worker->config, about->event.channel)) {
		facts->begun = about->stored;
		facts->changed = true;
	}
	if (about->known && (row->conflates || stride_channel_ms(worker,
						   about->event.channel) > 0))
		facts_find_conflated(facts, worker, row->id, &about->event);
}
