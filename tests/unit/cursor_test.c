/*
 * Tests of cursor: whatever happens, each subscriber gets every event of its
 * channels once, in order, to the byte, or is told which channels lost some.
 *
 * Events, trims, floods and pauses come at random; sockets are tiny, the ring
 * and the window are small.
 */
#include "broker/worker/cursor/catch_up.h"
#include "broker/worker/cursor/cursor.h"

#include "broker/worker/subscriber.h"
#include "tests/unit/hand_worker.h"
#include "tests/unit/listener.h"
#include "tests/unit/suite.h"

enum {
	CLIENTS = 16,
	EVENTS_MAX = 30000,
	STEPS = 2000,
	DATA_MAX = 14000,
};

struct client {
	struct listener listener;
	const char *channels;
	unsigned shape;
	unsigned window_ms;
	uint64_t cursor; /* of the last event it got, or where it began */
	size_t next;     /* index of the event it looks at next */
	struct buf lost; /* names it was told since then */
	uint64_t got;
	uint64_t resyncs;
};

static struct hand_worker hand;
static uint64_t state; /* of sample_random() */
static bool alike;     /* a crowd: all have the same channels and form, events
			* are small, and most of what they lack in the window */
static struct client clients[CLIENTS];

/* The model: what was published, and how much of it the store let go. */
static struct {
	uint64_t cursor;
	size_t data_len;
} events[EVENTS_MAX];
static size_t event_count, trimmed;

static const char *const subscriptions[] = {
    "c:1", "c:*", "*", "c:2,c:3", "c:0,c:*", "none:*,c:6", "c:4,c:5,c:4"};

/* --- the model --- */

static void
publish(size_t data_len)
{
	ck_assert_uint_lt(event_count, EVENTS_MAX);
	events[event_count].cursor = hand_worker_publish(&hand, data_len);
	events[event_count++].data_len = data_len;
}

static size_t
random_data_len(void)
{
	if (alike)
		return sample_below(&state, 40);
	switch (sample_below(&state, 20)) {
	case 0:
		return sample_below(&state, DATA_MAX);
	case 1:
	case 2:
		return sample_below(&state, 3000);
	default:
		return sample_below(&state, 200);
	}
}

static void
trim(void)
{
	size_t kept = 20 + sample_below(&state, 400);
	const struct store_limits limits = {UINT64_MAX, kept, UINT64_MAX, 1000};

	ck_assert_int_ge(store_trim(hand.store.writer, &limits, 0,
			     STORE_TRIM_ROWS_MAX, &(bool){false}),
	    0);
	if (event_count > kept && event_count - kept > trimmed)
		trimmed = event_count - kept;
}

static struct event *
event_at(size_t index)
{
	static struct sample_event sample;

	return sample_make(
	    &sample, events[index].cursor, events[index].data_len);
}

static struct slice
channel_at(size_t index)
{
	static struct sample_event sample;

	return sample_make(&sample, events[index].cursor, 0)->channel;
}

static bool
wants(const struct client *client, struct slice channel)
{
	const char *at = client->channels;

	for (;;) {
		size_t len = strcspn(at, ",");

		if (event_pattern_covers(slice_of(at, len), channel))
			return true;
		if (at[len] == '\0')
			return false;
		at += len + 1;
	}
}

/* --- a client --- */

static void
begin(struct client *client)
{
	char request[256], since[CURSOR_ID_TEXT_SIZE];
	int minor = alike ? 1 : (int)sample_below(&state, 2);

	cursor_id_format(client->cursor, since);
	snprintf(request, sizeof(request),
	    "GET /stream?channels=%s&format=%s&since=%s&window=%u "
	    "HTTP/1.%d\r\n"
	    "Host: h\r\n\r\n",
	    client->channels, client->shape == 1 ? "raw" : "tagged", since,
	    client->window_ms, minor);
	listener_init(
	    &client->listener, hand_worker_connect(&hand), minor, request);
	buf_clear(&client->lost);
}

/* Some client, from some event on, or from the beginning. */
static void
join(struct client *client)
{
	size_t index = sample_below(&state, event_count + 1);

	*client = (struct client){
	    .channels = subscriptions[sample_below(
		&state, sizeof(subscriptions) / sizeof(subscriptions[0]))],
	    .shape = (unsigned)sample_below(&state, 2),
	    .window_ms = sample_below(&state, 2) > 0
			     ? (unsigned)sample_below(&state, 9)
			     : 0,
	    .next = index,
	    .cursor = index > 0 ? events[index - 1].cursor : 0,
	};
	if (alike) {
		client->channels = subscriptions[1];
		client->shape = 1;
		client->window_ms = 0;
	}
	buf_init(&client->lost, 0);
	begin(client);
}

/* Everything it wants up to, without, the event at that index must have been
 * told to be lost, and be lost. */
static void
assert_excused(struct client *client, size_t index)
{
	for (; client->next < index; client->next++) {
		struct slice channel = channel_at(client->next);
		char quoted[40];

		if (!wants(client, channel))
			continue;
		ck_assert_uint_lt(client->next, trimmed);
		snprintf(quoted, sizeof(quoted), "\"%.*s\"", (int)channel.len,
		    channel.bytes);
		ck_assert_ptr_nonnull(listener_find(&client->lost, quoted));
	}
}

static void
take_event(struct client *client, struct slice block)
{
	size_t index = client->next;
	struct buf made;

	buf_init(&made, 0);
	for (;; index++) {
		char id[CURSOR_ID_TEXT_SIZE + 8];
		int len;

		ck_assert_uint_lt(index, event_count);
		len = snprintf(id, sizeof(id), "id: %llu-%u\n",
		    (unsigned long long)cursor_id_ms(events[index].cursor),
		    cursor_id_seq(events[index].cursor));
		if (memcmp(block.bytes, id, (size_t)len) == 0)
			break;
	}
	ck_assert(wants(client, channel_at(index)));
	sse_append_event(&made, event_at(index),
	    client->shape == 1 ? &sse_raw : &sse_tagged);
	ck_assert(
	    slice_equal(block, slice_of(buf_bytes(&made), buf_length(&made))));
	buf_finish(&made);
	assert_excused(client, index);
	buf_clear(&client->lost);
	client->cursor = events[index].cursor;
	client->next = index + 1;
	client->got++;
}

static void
listen_to(struct client *client, size_t max)
{
	struct listener *listener = &client->listener;
	struct slice block;

	listener_read(listener, max);
	while ((block = listener_block(listener)).len > 0) {
		if (slice_starts_with(block, slice_of_text("id: ")))
			take_event(client, block);
		else if (slice_starts_with(
			     block, slice_of_text("event: resync\n"))) {
			client->resyncs++;
			buf_append(&client->lost, block.bytes, block.len);
		}
		buf_consume(&listener->body, block.len);
	}
	if (listener->fd == -1) {
		/* It was in the midst of an event that is gone. */
		listener_finish(listener);
		begin(client);
	}
}

/* --- what happens --- */

static void
flood(void)
{
	for (size_t i = 50 + sample_below(&state, alike ? 10 : 300); i > 0; i--)
		publish(random_data_len());
}

static void
heartbeat(void)
{
	struct connection *next;

	for (struct connection *connection = hand.worker.connections;
	     connection != NULL; connection = next) {
		next = connection->next;
		if (connection->state == CONNECTION_STREAMING)
			cursor_heartbeat(&hand.worker, connection->subscriber);
	}
}

static void
happen(void)
{
	struct client *client = &clients[sample_below(&state, CLIENTS)];
	size_t what = sample_below(&state, 200);

	if (what < 60) {
		for (size_t i = sample_below(&state, 6); i > 0; i--)
			publish(random_data_len());
	} else if (what < 120) {
		hand_worker_turn(&hand);
	} else if (what < 185) {
		listen_to(client, 1 + sample_below(&state, 6000));
	} else if (what < 189) {
		heartbeat();
	} else if (what < 193) {
		trim();
	} else if (what < 197) {
		listener_finish(&client->listener);
		buf_finish(&client->lost);
		join(client);
	} else if (what < 199) {
		flood();
	}
}

/* How many events all clients have got. */
static uint64_t
count_got(void)
{
	uint64_t got = 0;

	for (int i = 0; i < CLIENTS; i++)
		got += clients[i].got;
	return got;
}

/* Until nothing more comes, and everybody has everything. */
static void
settle(void)
{
	uint64_t before;
	bool more;

	do {
		before = count_got();
		more = false;
		for (int i = 0; i < 20; i++) {
			more |= hand_worker_turn(&hand);
			for (int j = 0; j < CLIENTS; j++)
				listen_to(&clients[j], 20000);
		}
		more |= hand.worker.holds.count > 0;
	} while (more || count_got() != before);
	ck_assert_ptr_null(hand.worker.behind_first);
	for (int i = 0; i < CLIENTS; i++)
		assert_excused(&clients[i], event_count);
	ck_assert_uint_eq(
	    board_sum(hand.worker.board, METRIC_STREAMS_BEHIND), 0);
}

START_TEST(everybody_gets_everything_or_is_told_what_is_lost)
{
	uint64_t resyncs = 0;

	hand_worker_make(&hand);
	if (_i % 2 == 1) {
		volley_destroy(hand.worker.volley);
		hand.worker.volley = NULL;
	}
	state = 0x9E3779B97F4A7C15 + (uint64_t)_i;
	alike = _i >= 3;
	for (int i = 0; i < CLIENTS; i++)
		join(&clients[i]);
	for (int i = 0; i < STEPS; i++)
		happen();
	settle();
	for (int i = 0; i < CLIENTS; i++) {
		resyncs += clients[i].resyncs;
		listener_finish(&clients[i].listener);
		buf_finish(&clients[i].lost);
	}
	/* It was worth it: every way of getting on was gone. */
	ck_assert_uint_gt(count_got(), 1000);
	if (alike) {
		ck_assert_uint_gt(hand.worker.runs.shared, 20);
	} else {
		ck_assert_uint_gt(resyncs, 0);
		ck_assert_uint_gt(
		    board_sum(hand.worker.board, METRIC_LAPPED), 0);
		ck_assert_uint_gt(
		    board_sum(hand.worker.board, METRIC_STORE_READS), 100);
	}
	hand_worker_finish(&hand);
}
END_TEST

START_TEST(a_step_looks_at_fewer_events_for_very_many_patterns)
{
	ck_assert_int_eq(catch_up_look_at(2048, 0), 2048);
	ck_assert_int_eq(catch_up_look_at(2048, 1), 2048);
	ck_assert_int_eq(catch_up_look_at(512, 256), 512);
	ck_assert_int_eq(catch_up_look_at(2048, 256), 512);
	ck_assert_int_eq(catch_up_look_at(2048, 4096), 32);
	ck_assert_int_eq(catch_up_look_at(2048, SIZE_MAX), 16);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("cursor");

	tcase_add_loop_test(
	    tests, everybody_gets_everything_or_is_told_what_is_lost, 0, 5);
	tcase_add_test(
	    tests, a_step_looks_at_fewer_events_for_very_many_patterns);
	return suite_run("cursor", tests);
}
