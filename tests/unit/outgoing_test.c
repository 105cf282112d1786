/* Tests of outgoing: after a write that went out in part, it is known to the
 * byte where it ended. */
#include "broker/worker/cursor/outgoing.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum { FRAMES = 200, FRAME_MAX = 3000, BYTES = FRAMES * FRAME_MAX };

static struct outgoing outgoing;
static char bytes[BYTES]; /* all frames, with gaps between some */
static struct slice frames[FRAMES];
static char wanted[BYTES]; /* all frames, without gaps */
static size_t wanted_len;
static char got[BYTES];
static size_t got_len;
static int fds[2]; /* written, read */
static uint64_t state;

static void
set_up(void)
{
	int small = 2048;
	size_t at = 0;

	state = 161803;
	wanted_len = got_len = 0;
	for (int i = 0; i < FRAMES; i++) {
		size_t len = 1 + sample_below(&state, FRAME_MAX - 10);

		frames[i] = slice_of(bytes + at, len);
		for (size_t j = 0; j < len; j++)
			bytes[at + j] = (char)sample_random(&state);
		memcpy(wanted + wanted_len, bytes + at, len);
		wanted_len += len;
		at += len + (sample_below(&state, 2) == 0 ? 0 : 8);
	}
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	ck_assert_int_eq(
	    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
	    0);
}

static void
tear_down(void)
{
	close(fds[0]);
	close(fds[1]);
}

/* The cursor of a frame; what is half written is told by it. */
static uint64_t
cursor_of(size_t frame)
{
	return 1000 + 10 * frame;
}

static void
read_some(void)
{
	ssize_t len =
	    recv(fds[1], got + got_len, 1 + sample_below(&state, 5000), 0);

	if (len > 0)
		got_len += (size_t)len;
}

/* Frames from this one on, the first without what is out already. */
static void
collect(size_t first, size_t skip)
{
	outgoing_begin(&outgoing);
	for (size_t i = first; i < FRAMES && !outgoing_full(&outgoing); i++)
		outgoing_add(
		    &outgoing, cursor_of(i), frames[i], i == first ? skip : 0);
}

/* The same, out of all frames. */
static void
copy(size_t first, size_t skip)
{
	static struct outgoing all;

	if (all.frame_count == 0) {
		collect(0, 0);
		ck_assert_uint_eq(outgoing.frame_count, FRAMES);
		all = outgoing;
	}
	outgoing_copy(
	    &outgoing, &all, cursor_of(first) - 1, cursor_of(first), skip);
}

START_TEST(writes_that_are_cut_anywhere_add_up_to_all_bytes)
{
	static void (*const collects[])(size_t first, size_t skip) = {
	    collect, copy};
	size_t done = 0, partial = 0, out = 0, parts = 0;

	while (done < FRAMES) {
		struct outgoing_sent sent;
		enum outgoing_result result;

		collects[_i](done, partial);
		result = outgoing_write(&outgoing, fds[0], &sent);
		ck_assert_int_ne(result, OUTGOING_GONE);
		ck_assert_int_eq(result == OUTGOING_ALL,
		    sent.frames == outgoing.frame_count);
		out = sent.frames > 0 ? 0 : partial;
		done += sent.frames;
		ck_assert_uint_eq(
		    sent.partial, sent.partial_bytes > 0 ? cursor_of(done) : 0);
		ck_assert_uint_ge(sent.partial_bytes, out);
		if (done < FRAMES)
			ck_assert_uint_lt(sent.partial_bytes, frames[done].len);
		partial = sent.partial_bytes;
		parts += partial > 0;
		read_some();
	}
	while (got_len < wanted_len)
		read_some();
	ck_assert_uint_eq(got_len, wanted_len);
	ck_assert_mem_eq(got, wanted, wanted_len);
	ck_assert_uint_gt(parts, 20);
}
END_TEST

START_TEST(a_full_socket_takes_nothing_and_nothing_is_forgotten)
{
	struct outgoing_sent sent;
	char filler[100] = {0};

	while (send(fds[0], filler, sizeof(filler), 0) > 0)
		;
	collect(5, 0);
	ck_assert_int_eq(
	    outgoing_write(&outgoing, fds[0], &sent), OUTGOING_PART);
	ck_assert_uint_eq(sent.frames, 0);
	ck_assert_uint_eq(sent.partial, 0);
	collect(5, 1);
	ck_assert_int_eq(
	    outgoing_write(&outgoing, fds[0], &sent), OUTGOING_PART);
	ck_assert_uint_eq(sent.partial, cursor_of(5));
	ck_assert_uint_eq(sent.partial_bytes, 1);
}
END_TEST

START_TEST(a_broken_connection_is_told)
{
	struct outgoing_sent sent;

	close(fds[1]);
	collect(0, 0);
	ck_assert_int_eq(
	    outgoing_write(&outgoing, fds[0], &sent), OUTGOING_GONE);
	ck_assert_uint_eq(sent.frames, 0);
}
END_TEST

START_TEST(frames_that_lie_together_are_one_piece)
{
	outgoing_begin(&outgoing);
	outgoing_add(&outgoing, 1, slice_of(bytes, 100), 40);
	outgoing_add(&outgoing, 2, slice_of(bytes + 100, 50), 0);
	ck_assert_uint_eq(outgoing.piece_count, 1);
	outgoing_add(&outgoing, 3, slice_of(bytes + 151, 50), 0);
	outgoing_add(&outgoing, 4, slice_of(bytes + 10, 50), 0);
	ck_assert_uint_eq(outgoing.piece_count, 3);
	ck_assert_uint_eq(outgoing.bytes, 60 + 50 + 50 + 50);
}
END_TEST

START_TEST(it_is_full_by_pieces_frames_and_bytes)
{
	outgoing_begin(&outgoing);
	for (size_t i = 0; i < OUTGOING_PIECES; i++) {
		ck_assert(!outgoing_full(&outgoing));
		outgoing_add(&outgoing, i, slice_of(bytes + 2 * i, 1), 0);
	}
	ck_assert(outgoing_full(&outgoing));
	outgoing_begin(&outgoing);
	for (size_t i = 0; i < OUTGOING_FRAMES; i++) {
		ck_assert(!outgoing_full(&outgoing));
		outgoing_add(&outgoing, i, slice_of(bytes + i, 1), 0);
	}
	ck_assert(outgoing_full(&outgoing));
	outgoing_begin(&outgoing);
	outgoing_add(&outgoing, 1, slice_of(bytes, OUTGOING_BYTES - 1), 0);
	ck_assert(!outgoing_full(&outgoing));
	outgoing_add(&outgoing, 2, slice_of(bytes, 1), 0);
	ck_assert(outgoing_full(&outgoing));
}
END_TEST

START_TEST(a_receipt_belongs_to_the_frame_before)
{
	outgoing_begin(&outgoing);
	outgoing_add(&outgoing, 1, frames[0], 0);
	ck_assert(!outgoing.receipts);
	outgoing_add(&outgoing, 2, frames[1], 0);
	outgoing_want_receipt(&outgoing, 99);
	outgoing_add(&outgoing, 3, frames[2], 0);
	ck_assert(outgoing.receipts);
	ck_assert_uint_eq(outgoing.frames[0].receipt, 0);
	ck_assert_uint_eq(outgoing.frames[1].receipt, 99);
	ck_assert_uint_eq(outgoing.frames[2].receipt, 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("outgoing");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(
	    tests, writes_that_are_cut_anywhere_add_up_to_all_bytes, 0, 2);
	tcase_add_test(
	    tests, a_full_socket_takes_nothing_and_nothing_is_forgotten);
	tcase_add_test(tests, a_broken_connection_is_told);
	tcase_add_test(tests, frames_that_lie_together_are_one_piece);
	tcase_add_test(tests, it_is_full_by_pieces_frames_and_bytes);
	tcase_add_test(tests, a_receipt_belongs_to_the_frame_before);
	return suite_run("outgoing", tests);
}
