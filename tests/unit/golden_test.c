/*
 * Golden test: an event's bytes on a stream are the same, to the byte, whether
 * they come through the ring and the window or out of the store.
 */
#include "broker/shared/ring.h"
#include "broker/worker/cursor/frame.h"
#include "broker/worker/cursor/store_read.h"
#include "broker/worker/cursor/window.h"
#include "protocol/buf.h"
#include "protocol/cursor_id.h"
#include "tests/unit/some_shapes.h"
#include "tests/unit/store_folder.h"
#include "tests/unit/suite.h"

enum { RING_BYTES = 1 << 20, LONG_DATA = 65536 };

#define TEXT(text) \
	{ \
		text, sizeof(text) - 1 \
	}

/* What has broken streams, stores and tests before. */
static const struct slice payloads[] = {TEXT(""), TEXT(" "), TEXT("plain"),
    TEXT(": comment"), TEXT("\n"), TEXT("\r"), TEXT("\r\n"), TEXT("\n\r"),
    TEXT("a\nb\rc\r\nd"), TEXT("id: 1-0\n\nevent: bye\ndata: x\n\n"),
    TEXT("a\rid: 9-9\r\r"), TEXT("\0"), TEXT("a\0b\0"),
    TEXT("\xEF\xBB\xBFmark"), TEXT("\xE2\x80\xA8\xE2\x80\xA9\xC2\x85"),
    TEXT("\xF0\x9F\x9A\x80"), TEXT("\x01\x02\x1F\x7F\"\\/<>&"),
    TEXT("\xFF\xFE\x80 not UTF-8"), TEXT("{\"a\":1}"), TEXT("[1,\r\n2]"),
    TEXT("{\"a\":\"\\u0000\\n\"}"), TEXT("12345678901234567890"), TEXT("0x00"),
    TEXT("'; DROP TABLE event;"), TEXT("trailing\n"), TEXT("trailing\r")};

/* Types and keys; the first is none. */
static const struct slice labels[] = {TEXT(""), TEXT("order.updated"),
    TEXT(" "), TEXT("12"), TEXT("\xC3\xA9\xF0\x9F\x9A\x80"),
    TEXT("\"quoted\\\"")};

static const struct slice channels[] = {
    TEXT("c"), TEXT("org:42:orders"), TEXT("0"), TEXT("~@/-._:")};

enum {
	PAYLOADS = sizeof(payloads) / sizeof(payloads[0]) + 2, /* long ones */
	LABELS = sizeof(labels) / sizeof(labels[0]),
	CHANNELS = sizeof(channels) / sizeof(channels[0]),
};

static struct store_folder store;
static struct store_reader *reader;
static struct ring ring;
static int ring_fd;
static struct ring_reader ring_reader;
static struct window window;
static char long_data[LONG_DATA];
static uint64_t cursor;

static struct sse_shape shapes[SHAPES];

static void
set_up(void)
{
	make_some_shapes(shapes);
	store_folder_make(&store);
	ck_assert_int_eq(ring_create(&ring, RING_BYTES, &ring_fd), 0);
	ring_take_over(&ring);
	ring_attach(&ring, &ring_reader);
	ck_assert_int_eq(
	    window_init(&window, RING_BYTES, 64, shapes, SHAPES), 0);
	reader = store_reader_open(store.path);
	ck_assert_ptr_nonnull(reader);
	for (size_t i = 0; i < LONG_DATA; i++)
		long_data[i] = "ab\nc\"\r\nd\t"[i % 9];
	cursor = cursor_id_make(1763700000000, 0);
}

static void
tear_down(void)
{
	store_reader_close(reader);
	window_finish(&window);
	ring_unmap(&ring);
	close(ring_fd);
	store_folder_remove(&store);
}

static struct slice
payload(int number)
{
	if (number < PAYLOADS - 2)
		return payloads[number];
	return slice_of(
	    long_data, number == PAYLOADS - 1 ? LONG_DATA : LONG_DATA / 2);
}

/* Into the store and then into the ring, as the hub does. */
static void
accept_event(const struct event *event)
{
	void *block = malloc(record_size(event));

	ck_assert_ptr_nonnull(block);
	ck_assert_int_eq(store_begin(store.writer), 0);
	if (store.publisher.id == 0)
		ck_assert_int_eq(store_make_publisher(store.writer,
				     slice_of_text("p"), &store.publisher),
		    0);
	ck_assert_int_eq(
	    store_add_event(&store, event, &store.publisher, ++store.seq), 0);
	ck_assert_int_eq(store_commit(store.writer), 0);
	ring_write(&ring, record_write(block, event));
	ring_publish(&ring);
	free(block);
}

/* From the ring into the window, as a worker does; the entry's number. */
static uint64_t
follow(void)
{
	size_t size;
	void *room;

	ck_assert_int_eq(
	    ring_next_size(&ring, &ring_reader, &size), RING_RECORD);
	room = window_reserve(&window, size);
	ck_assert_ptr_nonnull(room);
	ck_assert_int_eq(
	    ring_copy_next(&ring, &ring_reader, room, size), RING_RECORD);
	return window_commit(&window, 0);
}

/* The frame made of what the store gives. */
struct stored {
	struct buf buf;
	size_t shape;
	struct frame frame;
};

static bool
take_stored(const struct event *event, void *context)
{
	struct stored *stored = context;

	ck_assert_ptr_null(stored->frame.bytes);
	stored->frame =
	    frame_append(&stored->buf, event, &shapes[stored->shape]);
	return true;
}

static void
read_stored(struct stored *stored, struct slice pattern)
{
	const struct store_request request = {
	    .patterns = &pattern,
	    .pattern_count = 1,
	    .after = cursor - 1,
	    .until = cursor,
	    .rows = 10,
	};
	uint64_t reached;

	ck_assert_int_eq(store_read_begin(reader), 0);
	ck_assert_int_eq(
	    store_read_events(reader, &request, take_stored, stored, &reached),
	    0);
	store_read_end(reader);
	ck_assert_ptr_nonnull(stored->frame.bytes);
}

/* The bytes from the window and from the store, by merge and by scan. */
static void
assert_same(uint64_t number, struct slice channel, size_t shape)
{
	const struct slice patterns[] = {channel, slice_of_text("*")};
	uint64_t pin = UINT64_MAX;
	struct frame frame;

	ck_assert_int_ne(
	    window_frame(&window, number, shape, &pin, &frame), WINDOW_WAIT);
	for (int i = 0; i < 2; i++) {
		struct stored stored = {.shape = shape};

		buf_init(&stored.buf, 0);
		read_stored(&stored, patterns[i]);
		for (int minor = 0; minor <= 1; minor++)
			ck_assert(slice_equal(frame_part(&frame, minor),
			    frame_part(&stored.frame, minor)));
		buf_finish(&stored.buf);
	}
}

START_TEST(bytes_from_the_ring_are_the_bytes_from_the_store)
{
	for (int kind = EVENT_TEXT; kind <= EVENT_RESYNC; kind++) {
		for (int label = 0; label < LABELS * LABELS; label++) {
			struct event event = {
			    .cursor = ++cursor,
			    .channel = channels[label % CHANNELS],
			    .type = labels[label % LABELS],
			    .key = labels[label / LABELS],
			    .data = payload(_i),
			    .kind = (enum event_kind)kind,
			};
			uint64_t number;

			if (kind == EVENT_RESYNC)
				event.data.len = 0;
			accept_event(&event);
			number = follow();
			for (size_t shape = 0; shape < SHAPES; shape++)
				assert_same(number, event.channel, shape);
		}
	}
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("golden");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests,
	    bytes_from_the_ring_are_the_bytes_from_the_store, 0, PAYLOADS);
	return suite_run("golden", tests);
}
