/*
 * Tests of withdrawing, by a random walk: events, changes and revocations come
 * while streams are read in pieces of any size, from sockets that are often
 * full. What was withdrawn never goes out any more, to the byte; a stream is
 * told of each change before what was published behind it; and all else comes
 * once, in order, or the stream ends for what was withdrawn and goes on where
 * it was.
 */
#include "broker/worker/access/withdraw.h"

#include <sys/ioctl.h>

#include "broker/worker/access/authority.h"
#include "broker/worker/access/permit.h"
#include "broker/worker/access/revoked.h"
#include "broker/worker/stream/change_apply.h"
#include "broker/worker/subscriber.h"
#include "tests/unit/hand_worker.h"
#include "tests/unit/listener.h"
#include "tests/unit/suite.h"

enum {
	WALKS = 12,
	STEPS = 700,
	CLIENTS = 4,
	EVENTS_MAX = 4096,
	CHANNELS = 7, /* c:0 to c:6, see sample_event.h */
	TOLD_MAX = 256,
	DATA_MAX = 14000,
};

/* What a stream is to be told, and behind which event that was. */
struct told {
	const char *name; /* of the control event */
	size_t behind;
};

struct client {
	struct listener listener;
	const char *query;
	bool all;               /* it has c:*; else single channels */
	bool has[CHANNELS];     /* those are its own, and not withdrawn */
	size_t from[CHANNELS];  /* index of the first event of it */
	size_t until[CHANNELS]; /* of the first one that is none, since */
	size_t next;            /* index of the event that it may get next */
	uint64_t cursor;        /* of the last one that it got */
	size_t received;        /* bytes */
	size_t limit[CHANNELS]; /* behind these nothing of it comes any more */
	bool may_end;           /* something was withdrawn */
	struct told told[TOLD_MAX];
	size_t told_first;
	size_t told_count;
	char id[ROSTER_ID_SIZE];
};

static struct hand_worker hand;
static uint64_t state; /* of sample_random() */
static struct client clients[CLIENTS];
static uint64_t cursors[EVENTS_MAX];
static size_t event_count;
static bool withdrawn[CHANNELS];
static const struct slice nobody = {"", 0};
static const char *const channel_names[CHANNELS] = {
    "c:0", "c:1", "c:2", "c:3", "c:4", "c:5", "c:6"};

static size_t
channel_of(uint64_t cursor)
{
	return cursor % 1000 % CHANNELS;
}

/* --- a client --- */

/* As when a stream is opened with a token from which it was withdrawn. */
static void
close_channel(struct subscriber *stream, size_t channel)
{
	struct slice pattern = slice_of_text(channel_names[channel]);
	const struct patterns revoked = {.list = &pattern, .count = 1};

	ck_assert_int_eq(subscriber_close(stream, &revoked), 0);
}

/* Opens its stream behind the last event that it got. */
static void
join(struct client *client)
{
	const struct authority authority = {.user = nobody};
	char request[256], since[CURSOR_ID_TEXT_SIZE];
	char channels[64] = "none";
	struct subscriber *stream;

	for (size_t i = 0; i < CHANNELS; i++) {
		if (client->has[i] && !client->all)
			strcat(strcat(channels, ","), channel_names[i]);
	}
	cursor_id_format(client->cursor, since);
	snprintf(request, sizeof(request),
	    "GET /stream?channels=%s&since=%s%s HTTP/1.1\r\nHost: h\r\n\r\n",
	    client->all ? "c:*" : channels, since, client->query);
	listener_init(
	    &client->listener, hand_worker_connect(&hand), 1, request);
	ev_run(hand.worker.loop, EVRUN_NOWAIT);
	stream = hand.worker.connections->subscriber;
	ck_assert_ptr_nonnull(stream);
	stream->permit = permit_create(&authority);
	ck_assert_ptr_nonnull(stream->permit);
	memcpy(client->id, stream->id, sizeof(client->id));
	client->received = client->told_count = 0;
	client->may_end = false;
	for (size_t i = 0; i < CHANNELS; i++) {
		client->limit[i] = withdrawn[i] ? 0 : SIZE_MAX;
		client->from[i] = client->has[i] ? client->next : SIZE_MAX;
		client->until[i] = 0;
		if (withdrawn[i])
			close_channel(stream, i);
	}
}

static void
begin(struct client *client)
{
	static const char *const queries[] = {"", "", "&window=3"};

	*client = (struct client){
	    .query = queries[sample_below(&state, 3)],
	    .all = sample_below(&state, 2) == 0,
	    .cursor = hand.cursor,
	};
	for (size_t i = 0; i < CHANNELS; i++)
		client->has[i] = client->all || sample_below(&state, 2) == 0;
	join(client);
}

static int
unread(const struct client *client)
{
	int bytes = 0;

	ck_assert_int_eq(ioctl(client->listener.fd, FIONREAD, &bytes), 0);
	return bytes;
}

static void
take_told(struct client *client, struct slice block)
{
	const struct told *told = &client->told[client->told_first];

	ck_assert_uint_gt(client->told_count, 0);
	ck_assert(slice_starts_with(
	    slice_of(block.bytes + strlen("event: "), block.len - 7),
	    slice_of_text(told->name)));
	client->told_first = (client->told_first + 1) % TOLD_MAX;
	client->told_count--;
}

static size_t
index_of(struct slice block)
{
	unsigned long long ms;
	unsigned seq;
	size_t index = 0;

	ck_assert_int_eq(sscanf(block.bytes, "id: %llu-%u\n", &ms, &seq), 2);
	while (cursors[index] != cursor_id_make(ms, seq))
		ck_assert_uint_lt(++index, event_count);
	return index;
}

/* Nothing that it is to get up to there was left out. */
static void
assert_none_missing(struct client *client, size_t end)
{
	for (; client->next < end; client->next++) {
		size_t channel = channel_of(cursors[client->next]);

		ck_assert_msg(!client->has[channel] ||
				  client->from[channel] > client->next,
		    "event %zu on c:%zu is missing", client->next, channel);
	}
}

static void
take_event(struct client *client, struct slice block, size_t began)
{
	size_t index = index_of(block);
	size_t channel = channel_of(cursors[index]);

	ck_assert_uint_ge(index, client->next);
	assert_none_missing(client, index);
	/* One that was half written when it left the channel is finished. */
	ck_assert((client->has[channel] && index >= client->from[channel]) ||
		  index < client->until[channel]);
	/* Its last byte is not of what was written later. */
	ck_assert_uint_lt(began, client->limit[channel]);
	ck_assert(client->told_count == 0 ||
		  index < client->told[client->told_first].behind);
	client->cursor = cursors[index];
	client->next = index + 1;
}

/* Reads so much at most, and never across a limit. */
static void
listen_to(struct client *client, size_t max)
{
	struct listener *listener = &client->listener;
	size_t began = client->received;
	struct slice block;

	for (size_t i = 0; i < CHANNELS; i++) {
		if (client->limit[i] > began && client->limit[i] - began < max)
			max = client->limit[i] - began;
	}
	client->received += (size_t)unread(client);
	listener_read(listener, max);
	if (listener->fd == -1) {
		ck_assert(client->may_end);
		listener_finish(listener);
		join(client);
		return;
	}
	client->received -= (size_t)unread(client);
	while ((block = listener_block(listener)).len > 0) {
		if (slice_starts_with(block, slice_of_text("id: ")))
			take_event(client, block, began);
		else if (slice_starts_with(
			     block, slice_of_text("event: revoked")) ||
			 slice_starts_with(
			     block, slice_of_text("event: subscribed")))
			take_told(client, block);
		buf_consume(&listener->body, block.len);
	}
}

/* --- what happens --- */

static void
publish(void)
{
	size_t len =
	    sample_below(&state, sample_below(&state, 8) == 0 ? DATA_MAX : 100);

	ck_assert_uint_lt(event_count, EVENTS_MAX);
	cursors[event_count++] = hand_worker_publish(&hand, len);
}

static struct subscriber *
stream_of(const struct client *client)
{
	struct subscriber *stream =
	    roster_find(&hand.worker.roster, slice_of_text(client->id));

	return stream != NULL && strcmp(stream->id, client->id) == 0 ? stream
								     : NULL;
}

static void
expect_told(struct client *client, const char *name)
{
	ck_assert_uint_lt(client->told_count, TOLD_MAX);
	client->told[(client->told_first + client->told_count++) % TOLD_MAX] =
	    (struct told){name, event_count};
}

static void
leave(struct client *client, size_t channel)
{
	if (client->has[channel])
		client->until[channel] = event_count;
	client->has[channel] = false;
}

static void
withdraw(void)
{
	size_t channel = sample_below(&state, CHANNELS);
	struct slice pattern = slice_of_text(channel_names[channel]);

	for (int i = 0; i < CLIENTS; i++) {
		struct client *client = &clients[i];
		bool concerned = client->has[channel] || client->all;

		leave(client, channel);
		client->may_end = true;
		if (stream_of(client) == NULL)
			continue;
		if (concerned)
			expect_told(client, "revoked");
		if (client->limit[channel] == SIZE_MAX)
			client->limit[channel] =
			    client->received + (size_t)unread(client);
	}
	withdrawn[channel] = true;
	ck_assert_int_eq(
	    revoked_add(hand.worker.revoked, nobody, pattern, 1), 0);
	withdraw_revoked(&hand.worker, nobody, pattern, 1);
}

static void
post(struct client *client, const char *body)
{
	char path[64];
	struct outcome outcome = {.kind = OUTCOME_DONE};

	snprintf(path, sizeof(path), "/stream/%s", client->id);
	change_apply(&hand.worker,
	    &(struct change){
		.path = slice_of_text(path), .body = slice_of_text(body)},
	    &outcome);
	ck_assert_int_eq(outcome.kind, OUTCOME_DONE);
	buf_finish(&outcome.body);
}

static void
change(struct client *client)
{
	size_t joins = sample_below(&state, CHANNELS);
	size_t leaves = sample_below(&state, CHANNELS);
	char body[128];

	if (stream_of(client) == NULL)
		return;
	if (joins == leaves || sample_below(&state, 3) == 0) {
		post(client, "{\"types\":[]}"); /* nothing is said */
		return;
	}
	expect_told(client, "subscribed");
	if (!client->all)
		leave(client, leaves);
	if (!withdrawn[joins] && !client->has[joins]) {
		client->has[joins] = true;
		client->from[joins] = event_count;
	}
	snprintf(body, sizeof(body),
	    "{\"subscribe\":[\"c:%zu\",\"none\"],\"unsubscribe\":[\"c:%zu\"]}",
	    joins, leaves);
	post(client, body);
}

static void
happen(void)
{
	struct client *client = &clients[sample_below(&state, CLIENTS)];
	size_t what = sample_below(&state, 100);

	if (what < 25)
		publish();
	else if (what < 65)
		listen_to(client, 1 + sample_below(&state, 8000));
	else if (what < 92)
		hand_worker_turn(&hand);
	else if (what < 99)
		change(client);
	else
		withdraw();
}

static void
settle(void)
{
	for (int quiet = 0; quiet < 20; quiet++) {
		if (hand_worker_turn(&hand) ||
		    board_sum(hand.worker.board, METRIC_STREAMS_BEHIND) > 0 ||
		    hand.worker.holds.count > 0)
			quiet = 0;
		for (int i = 0; i < CLIENTS; i++)
			listen_to(&clients[i], 20000);
	}
	for (int i = 0; i < CLIENTS; i++) {
		assert_none_missing(&clients[i], event_count);
		ck_assert_uint_eq(clients[i].told_count, 0);
	}
}

START_TEST(whatever_is_withdrawn_and_changed)
{
	state = 0x9E3779B97F4A7C15 + (uint64_t)_i;
	hand_worker_make(&hand);
	hand.config.streams[0].access = CONFIG_ACCESS_OPTIONAL;
	event_count = 0;
	memset(withdrawn, 0, sizeof(withdrawn));
	for (int i = 0; i < CLIENTS; i++)
		begin(&clients[i]);
	for (int i = 0; i < STEPS; i++)
		happen();
	settle();
	for (int i = 0; i < CLIENTS; i++)
		listener_finish(&clients[i].listener);
	hand_worker_finish(&hand);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("withdraw_walk");

	tcase_add_loop_test(tests, whatever_is_withdrawn_and_changed, 0, WALKS);
	return suite_run("withdraw_walk", tests);
}
