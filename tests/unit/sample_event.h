/*
 * sample_event: events whose every byte follows from their number, so that a
 * copy can be checked without the original. For tests of the broker.
 */
#ifndef TESTS_UNIT_SAMPLE_EVENT_H
#define TESTS_UNIT_SAMPLE_EVENT_H

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "broker/shared/record.h"

enum { SAMPLE_DATA_MAX = 65536 };

struct sample_event {
	char channel[32];
	char type[16];
	char key[32];
	char data[SAMPLE_DATA_MAX];
	struct event event;
};

/* xorshift64*: the same numbers on every machine. */
static inline uint64_t
sample_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

/* A number from 0 to below - 1. */
static inline size_t
sample_below(uint64_t *state, size_t below)
{
	return (size_t)(sample_random(state) >> 33) % below;
}

/* The event with this cursor, and data_len bytes of data. */
static inline struct event *
sample_make(struct sample_event *sample, uint64_t cursor, size_t data_len)
{
	uint64_t state = cursor * 2 + 1;
	char *channel = sample->channel, *type = sample->type;
	unsigned number = (unsigned)(cursor % 1000);

	assert(data_len <= SAMPLE_DATA_MAX);
	snprintf(channel, sizeof(sample->channel), "c:%u", number % 7);
	snprintf(type, sizeof(sample->type), "%s", number % 3 ? "t.x" : "");
	snprintf(sample->key, sizeof(sample->key), "%.*s", (int)(number % 20),
	    "k-0123456789abcdefgh");
	for (size_t i = 0; i < data_len; i++)
		sample->data[i] = (char)('a' + sample_below(&state, 26));
	sample->event = (struct event){
	    .cursor = cursor,
	    .channel = slice_of_text(channel),
	    .type = slice_of_text(type),
	    .key = slice_of_text(sample->key),
	    .data = slice_of(sample->data, data_len),
	    .kind = EVENT_TEXT,
	};
	return &sample->event;
}

/* Is this the event that sample_make() makes for its cursor? */
static inline bool
sample_intact(const struct event *event)
{
	static struct sample_event sample;
	const struct event *made =
	    event->data.len <= SAMPLE_DATA_MAX
		? sample_make(&sample, event->cursor, event->data.len)
		: NULL;

	return made != NULL && slice_equal(made->channel, event->channel) &&
	       slice_equal(made->type, event->type) &&
	       slice_equal(made->key, event->key) &&
	       slice_equal(made->data, event->data) &&
	       made->kind == event->kind;
}

/* The sample's block, in memory that the next call uses again. */
static inline struct record *
sample_record(uint64_t cursor, size_t data_len)
{
	static struct sample_event sample;
	static _Alignas(RECORD_ALIGNMENT) char block[SAMPLE_DATA_MAX + 1024];

	return record_write(block, sample_make(&sample, cursor, data_len));
}

#endif
