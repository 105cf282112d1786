/*
 * Tests of volley: what goes out together is to the byte what each stream would
 * have got alone; and who cannot take it goes on later, without gap or double.
 *
 * Sockets are tiny, the window's frames have room for one large turn in one
 * format, and streams of two formats read when they like.
 */
#include "broker/worker/cursor/volley.h"

#include "broker/worker/subscriber.h"
#include "tests/unit/hand_worker.h"
#include "tests/unit/listener.h"
#include "tests/unit/suite.h"

enum { CLIENTS = 24, EVENTS = 600, LARGE = 3900 };

static struct {
	struct listener listener;
	size_t next; /* index of the event it gets next */
} clients[CLIENTS];

static struct {
	uint64_t cursor;
	size_t data_len;
} events[EVENTS];
static size_t event_count;

static struct hand_worker hand;
static uint64_t state; /* of sample_random() */

static const struct sse_shape *
shape_of(size_t client)
{
	return client % 2 == 0 ? &sse_tagged : &sse_raw;
}

static bool
all_at_head(void)
{
	for (struct connection *connection = hand.worker.connections;
	     connection != NULL; connection = connection->next) {
		if (connection->subscriber == NULL ||
		    connection->subscriber->place != SUBSCRIBER_AT_HEAD)
			return false;
	}
	return true;
}

static void
set_up(void)
{
	state = 20251121;
	hand_worker_make(&hand);
	for (size_t i = 0; i < CLIENTS; i++) {
		int minor = i % 3 > 0;

		listener_init(&clients[i].listener, hand_worker_connect(&hand),
		    minor,
		    minor > 0 ? (i % 2 == 0 ? "GET /stream?channels=* "
					      "HTTP/1.1\r\nHost: h\r\n\r\n"
					    : "GET /stream?channels=*&format="
					      "raw HTTP/1.1\r\nHost: "
					      "h\r\n\r\n")
			      : (i % 2 == 0 ? "GET /stream?channels=* "
					      "HTTP/1.0\r\n\r\n"
					    : "GET /stream?channels=*&format="
					      "raw HTTP/1.0\r\n\r\n"));
	}
	while (!all_at_head())
		hand_worker_turn(&hand);
}

static void
tear_down(void)
{
	for (size_t i = 0; i < CLIENTS; i++)
		listener_finish(&clients[i].listener);
	hand_worker_finish(&hand);
}

static void
take_event(size_t client, struct slice block)
{
	static struct sample_event sample;
	size_t index = clients[client].next++;
	struct buf made;

	ck_assert_uint_lt(index, event_count);
	buf_init(&made, 0);
	sse_append_event(&made,
	    sample_make(&sample, events[index].cursor, events[index].data_len),
	    shape_of(client));
	ck_assert(
	    slice_equal(block, slice_of(buf_bytes(&made), buf_length(&made))));
	buf_finish(&made);
}

static void
listen_to(size_t client, size_t max)
{
	struct listener *listener = &clients[client].listener;
	struct slice block;

	listener_read(listener, max);
	while ((block = listener_block(listener)).len > 0) {
		if (slice_starts_with(block, slice_of_text("id: ")))
			take_event(client, block);
		buf_consume(&listener->body, block.len);
	}
	ck_assert_int_ne(listener->fd, -1);
}

static void
publish(size_t data_len)
{
	events[event_count].cursor = hand_worker_publish(&hand, data_len);
	events[event_count++].data_len = data_len;
}

/* Most read all there is, and so are at the head when the next one comes. */
static void
listen_a_while(void)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		size_t max = sample_below(&state, 12);

		if (max > 0)
			listen_to(i, max > 3 ? 100000 : 1000 * max);
	}
}

static bool
all_have_all(void)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i].next < event_count)
			return false;
	}
	return true;
}

START_TEST(each_stream_gets_each_event_once_and_to_the_byte)
{
	bool volleys = hand.worker.volley != NULL;

	while (event_count < EVENTS) {
		size_t count = 1 + sample_below(&state, 3);

		for (; count > 0 && event_count < EVENTS; count--)
			publish(sample_below(&state, 3) == 0
				    ? LARGE - sample_below(&state, 100)
				    : sample_below(&state, 2000));
		hand_worker_turn(&hand);
		listen_a_while();
		hand_worker_turn(&hand);
	}
	while (!all_have_all()) {
		hand_worker_turn(&hand);
		for (size_t i = 0; i < CLIENTS; i++)
			listen_to(i, 100000);
	}
	/* It was worth it. */
	ck_assert_int_eq(
	    board_sum(hand.worker.board, METRIC_VOLLEYS) > 100, volleys);
}
END_TEST

/* Streams of HTTP/1.0 get events without the heads of chunks between them. */
START_TEST(what_lies_in_several_pieces_goes_out_together_as_well)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		if (i % 3 > 0)
			close(clients[i].listener.fd);
	}
	while (hand.worker.connection_count > CLIENTS / 3)
		hand_worker_turn(&hand);
	ck_assert_uint_eq(board_sum(hand.worker.board, METRIC_VOLLEYS), 0);
	for (int i = 0; i < 3; i++)
		publish(100);
	hand_worker_turn(&hand);
	ck_assert_uint_eq(board_sum(hand.worker.board, METRIC_VOLLEYS),
	    hand.worker.volley != NULL);
	for (size_t i = 0; i < CLIENTS; i++) {
		if (i % 3 > 0) {
			clients[i].listener.fd = -1;
			continue;
		}
		listen_to(i, 100000);
		ck_assert_uint_eq(clients[i].next, 3);
	}
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("volley");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, each_stream_gets_each_event_once_and_to_the_byte);
	tcase_add_test(
	    tests, what_lies_in_several_pieces_goes_out_together_as_well);
	return suite_run("volley", tests);
}
