/* Tests of message: to bytes and back, and nothing from bytes that lie. The
 * bytes are written out by hand: ssemux-protocol(7) promises them. */
#include "protocol/message.h"

#include <check.h>
#include <stdlib.h>

#include "protocol/buf.h"

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))
#define BYTES(text) text, sizeof(text) - 1

enum { MAX_BYTES = 1 << 20 };

static struct message_reader *reader;

static void
set_up(void)
{
	reader = message_reader_create();
	ck_assert_ptr_nonnull(reader);
}

static void
tear_down(void)
{
	message_reader_destroy(reader);
}

static enum message_scan
scan(const char *bytes, size_t len, size_t *size)
{
	enum refusal why;

	return message_scan(bytes, len, MAX_BYTES, size, &why);
}

/* Reads bytes that must be one whole message. */
static struct fault
read_whole(const char *bytes, size_t len, struct message *message)
{
	size_t size = 0;

	ck_assert_int_eq(scan(bytes, len, &size), MESSAGE_WHOLE);
	ck_assert_uint_eq(size, len);
	return message_read(reader, bytes, len, message);
}

static void
assert_slice(struct slice slice, const char *text)
{
	ck_assert_uint_eq(slice.len, strlen(text));
	if (slice.len > 0)
		ck_assert_mem_eq(slice.bytes, text, slice.len);
}

static void
assert_same(const struct message *a, const struct message *b)
{
	ck_assert_int_eq(a->type, b->type);
	ck_assert_int_eq(a->data, b->data);
	ck_assert_uint_eq(a->seq, b->seq);
	ck_assert_uint_eq(a->cursor, b->cursor);
	ck_assert_uint_eq(a->last_seq, b->last_seq);
	ck_assert_uint_eq(a->max_event, b->max_event);
	ck_assert_uint_eq(a->window, b->window);
	ck_assert_uint_eq(a->notified, b->notified);
	ck_assert_int_eq(a->counted, b->counted);
	ck_assert_uint_eq(a->counts.matched, b->counts.matched);
	ck_assert_uint_eq(a->counts.lagging, b->counts.lagging);
	ck_assert_uint_eq(a->counts.filtered, b->counts.filtered);
	ck_assert_uint_eq(a->version, b->version);
	ck_assert_uint_eq(a->flags, b->flags);
	ck_assert_int_eq(a->duplicate, b->duplicate);
	ck_assert_uint_eq(a->id, b->id);
	ck_assert_uint_eq(a->count, b->count);
	ck_assert_uint_eq(a->late, b->late);
	ck_assert_int_eq(a->command, b->command);
	ck_assert(slice_equal(a->user, b->user));
	ck_assert(slice_equal(a->pattern, b->pattern));
	ck_assert_uint_eq(a->peer, b->peer);
	ck_assert(slice_equal(a->publisher, b->publisher));
	ck_assert(slice_equal(a->event.channel, b->event.channel));
	ck_assert(slice_equal(a->event.type, b->event.type));
	ck_assert(slice_equal(a->event.key, b->event.key));
	ck_assert(slice_equal(a->event.data, b->event.data));
	ck_assert(slice_equal(a->code, b->code));
	ck_assert(slice_equal(a->field, b->field));
	ck_assert(slice_equal(a->text, b->text));
}

#define S(text) \
	{ \
		text, sizeof(text) - 1 \
	}

/* Each type of message, and the bytes that it is. */
static const struct {
	struct message message;
	const char *bytes;
	size_t len;
} rows[] = {
    {{.type = MESSAGE_HELLO, .version = 1, .publisher = S("shop")},
	BYTES("\x93\x00\x01\xA4shop")},
    {{.type = MESSAGE_PUBLISH,
	 .seq = 1,
	 .event = {.channel = S("orders"),
	     .type = S("order.updated"),
	     .key = S("42"),
	     .data = S("{}")}},
	BYTES("\x97\x01\x01\xA6orders\xADorder.updated\xA2"
	      "42\xA2{}\x00")},
    {{.type = MESSAGE_PUBLISH,
	 .seq = 300,
	 .event = {.channel = S("a"), .data = S("x")},
	 .flags = MESSAGE_FLAG_TEXT | MESSAGE_FLAG_RECEIPT},
	BYTES("\x97\x01\xCD\x01\x2C\xA1"
	      "a\xC0\xC0\xA1x\x06")},
    {{.type = MESSAGE_PUBLISH,
	 .seq = 2,
	 .data = MESSAGE_DATA_BYTES,
	 .event = {.channel = S("a"), .data = S("\x00\xFF")}},
	BYTES("\x97\x01\x02\xA1"
	      "a\xC0\xC0\xC4\x02\x00\xFF\x00")},
    {{.type = MESSAGE_RESYNC, .seq = 3, .event = {.channel = S("a")}},
	BYTES("\x93\x02\x03\xA1"
	      "a")},
    {{.type = MESSAGE_BYE}, BYTES("\x91\x03")},
    {{.type = MESSAGE_STATUS}, BYTES("\x91\x04")},
    {{.type = MESSAGE_WELCOME,
	 .version = 1,
	 .last_seq = 0,
	 .max_event = 65536,
	 .window = 8192},
	BYTES("\x95\x10\x01\x00\xCE\x00\x01\x00\x00\xCD\x20\x00")},
    {{.type = MESSAGE_ACK, .seq = 1, .cursor = UINT64_C(1763700000000) << 20},
	BYTES("\x94\x11\x01\xCF\x19\xAA\x4B\x64\x50\x00\x00\x00\xC2")},
    {{.type = MESSAGE_ACK, .seq = 2, .duplicate = true},
	BYTES("\x94\x11\x02\xC0\xC3")},
    {{.type = MESSAGE_ERROR,
	 .seq = 7,
	 .code = S("channel"),
	 .field = S("channel"),
	 .text = S("no")},
	BYTES("\x95\x12\x07\xA7"
	      "channel\xA7"
	      "channel\xA2no")},
    {{.type = MESSAGE_ERROR, .code = S("busy"), .text = S("later")},
	BYTES("\x95\x12\xC0\xA4"
	      "busy\xC0\xA5later")},
    {{.type = MESSAGE_RECEIPT, .seq = 2, .notified = 5},
	BYTES("\x93\x13\x02\x05")},
    {{.type = MESSAGE_RECEIPT,
	 .seq = 2,
	 .notified = 5,
	 .counted = true,
	 .counts = {.matched = 9, .lagging = 3, .filtered = 1},
	 .late = 2},
	BYTES("\x97\x13\x02\x05\x09\x03\x01\x02")},
    {{.type = MESSAGE_REPORT, .text = S("{}")}, BYTES("\x92\x14\xA2{}")},
    {{.type = MESSAGE_COMMAND,
	 .id = 1,
	 .command = MESSAGE_KICK,
	 .user = S("u1")},
	BYTES("\x95\x05\x01\xA4kick\xA2u1\xC0")},
    {{.type = MESSAGE_COMMAND,
	 .id = 2,
	 .command = MESSAGE_REVOKE,
	 .user = S("u1"),
	 .pattern = S("a:*")},
	BYTES("\x95\x05\x02\xA6revoke\xA2u1\xA3"
	      "a:*")},
    {{.type = MESSAGE_COMMAND,
	 .id = 3,
	 .command = MESSAGE_RESTORE,
	 .user = S("u1")},
	BYTES("\x95\x05\x03\xA7restore\xA2u1\xC0")},
    {{.type = MESSAGE_COMMAND, .id = 4, .command = MESSAGE_DRAIN},
	BYTES("\x95\x05\x04\xA5"
	      "drain\xC0\xC0")},
    {{.type = MESSAGE_COMMAND,
	 .id = 5,
	 .command = MESSAGE_TRACE,
	 .pattern = S("1-0")},
	BYTES("\x95\x05\x05\xA5trace\xC0\xA3"
	      "1-0")},
    {{.type = MESSAGE_COMMAND,
	 .id = 6,
	 .command = MESSAGE_EXPLAIN,
	 .user = S("u1"),
	 .pattern = S("1-0")},
	BYTES("\x95\x05\x06\xA7"
	      "explain\xA2u1\xA3"
	      "1-0")},
    {{.type = MESSAGE_DONE, .id = 2, .count = 3, .late = 1, .text = S("{}")},
	BYTES("\x95\x15\x02\x03\x01\xA2{}")},
    {{.type = MESSAGE_DONE, .id = 2, .count = 3, .late = 1},
	BYTES("\x94\x15\x02\x03\x01")},
    {{.type = MESSAGE_FAILED,
	 .id = 2,
	 .code = S("user"),
	 .field = S("user"),
	 .text = S("no")},
	BYTES("\x95\x16\x02\xA4user\xA4user\xA2no")},
    {{.type = MESSAGE_AS, .publisher = S("+k")}, BYTES("\x92\x20\xA2+k")},
    {{.type = MESSAGE_AS}, BYTES("\x92\x20\xC0")},
    {{.type = MESSAGE_ASK, .id = 5, .peer = 2, .text = S("{}")},
	BYTES("\x94\x21\x05\x02\xA2{}")},
    {{.type = MESSAGE_ASK, .id = 5, .peer = MESSAGE_PEER_ALL, .text = S("{}")},
	BYTES("\x94\x21\x05\xC0\xA2{}")},
    {{.type = MESSAGE_ANSWER, .id = 300, .peer = 0, .text = S("1")},
	BYTES("\x94\x22\xCD\x01\x2C\x00\xA1"
	      "1")},
    {{.type = MESSAGE_ANSWER, .peer = 1}, BYTES("\x94\x22\x00\x01\xC0")},
};

START_TEST(each_message_is_written_as_the_page_says)
{
	struct buf buf;

	buf_init(&buf, 0);
	message_write(&buf, &rows[_i].message);
	ck_assert_uint_eq(buf_length(&buf), rows[_i].len);
	ck_assert_mem_eq(buf_bytes(&buf), rows[_i].bytes, rows[_i].len);
	buf_finish(&buf);
}
END_TEST

START_TEST(each_message_is_read_back_as_it_was)
{
	struct message message, expected = rows[_i].message;
	struct fault fault = read_whole(rows[_i].bytes, rows[_i].len, &message);

	ck_assert_str_eq(refusal_code(fault.refusal), "");
	expected.event.kind = message.event.kind; /* not of the message */
	assert_same(&message, &expected);
}
END_TEST

/* In memory of just that size: a look past its end would be found. */
START_TEST(a_message_cut_off_anywhere_is_a_part)
{
	for (size_t len = 0; len < rows[_i].len; len++) {
		char *part = malloc(len > 0 ? len : 1);
		size_t size = 0;

		ck_assert_ptr_nonnull(part);
		memcpy(part, rows[_i].bytes, len);
		ck_assert_int_eq(scan(part, len, &size), MESSAGE_PART);
		ck_assert_uint_gt(size, len);
		ck_assert_uint_le(size, rows[_i].len);
		free(part);
	}
}
END_TEST

/* Neither crashes nor reads past the end; and if it can be read at all, it
 * can be written again. */
START_TEST(a_message_with_any_byte_changed_does_no_harm)
{
	for (size_t i = 0; i < rows[_i].len; i++) {
		for (int c = 0; c < 256; c++) {
			char *copy = malloc(rows[_i].len);
			struct message message;
			struct buf buf;
			size_t size;

			ck_assert_ptr_nonnull(copy);
			memcpy(copy, rows[_i].bytes, rows[_i].len);
			copy[i] = (char)c;
			buf_init(&buf, 0);
			if (scan(copy, rows[_i].len, &size) == MESSAGE_WHOLE &&
			    message_read(reader, copy, size, &message)
				    .refusal == REFUSAL_NONE) {
				message_write(&buf, &message);
				ck_assert(!buf_failed(&buf));
			}
			buf_finish(&buf);
			free(copy);
		}
	}
}
END_TEST

START_TEST(messages_follow_each_other_without_a_gap)
{
	struct buf buf;
	int count = 0;

	buf_init(&buf, 0);
	for (int i = 0; i < COUNT(rows); i++)
		message_write(&buf, &rows[i].message);
	while (buf_length(&buf) > 0) {
		size_t size;

		ck_assert_int_eq(scan(buf_bytes(&buf), buf_length(&buf), &size),
		    MESSAGE_WHOLE);
		ck_assert_uint_eq(size, rows[count++].len);
		buf_consume(&buf, size);
	}
	ck_assert_int_eq(count, COUNT(rows));
	buf_finish(&buf);
}
END_TEST

START_TEST(elements_after_the_known_ones_are_ignored)
{
	struct message message;

	ck_assert_int_eq(read_whole(BYTES("\x95\x00\x01\xA1"
					  "a\xC0\x81\x01\x02"),
			     &message)
			     .refusal,
	    REFUSAL_NONE);
	assert_slice(message.publisher, "a");
	ck_assert_int_eq(
	    read_whole(BYTES("\x92\x03\xA1x"), &message).refusal, REFUSAL_NONE);
}
END_TEST

static const struct {
	enum message_command command;
	struct slice user;
	struct slice pattern;
	const char *code;
} commands[] = {
    {MESSAGE_KICK, S("u"), S(""), ""},
    {MESSAGE_KICK, S("\xC3\xA4 b"), S(""), ""},
    {MESSAGE_KICK, S("u"), S("a"), "pattern"},
    {MESSAGE_KICK, S(""), S(""), "user"},
    {MESSAGE_KICK, S("a\nb"), S(""), "user"},
    {MESSAGE_KICK, S("a\x7F"), S(""), "user"},
    {MESSAGE_KICK, S("a\xFF"), S(""), "user"},
    {MESSAGE_KICK, S("a\0b"), S(""), "user"},
    {MESSAGE_REVOKE, S("u"), S("a:b"), ""},
    {MESSAGE_REVOKE, S("u"), S("a:*"), ""},
    {MESSAGE_REVOKE, S("u"), S("*"), ""},
    {MESSAGE_REVOKE, S("u"), S(""), "pattern"},
    {MESSAGE_REVOKE, S("u"), S("a*"), "pattern"},
    {MESSAGE_REVOKE, S("u"), S("a b"), "pattern"},
    {MESSAGE_RESTORE, S("u"), S(""), ""},
    {MESSAGE_RESTORE, S("u"), S("a"), ""},
    {MESSAGE_RESTORE, S("u"), S("**"), "pattern"},
    {MESSAGE_TRACE, S(""), S("1763700000000-0"), ""},
    {MESSAGE_TRACE, S("u"), S("1763700000000-0"), "user"},
    {MESSAGE_TRACE, S(""), S("0-0"), "cursor"},
    {MESSAGE_TRACE, S(""), S("now"), "cursor"},
    {MESSAGE_TRACE, S(""), S(""), "cursor"},
    {MESSAGE_EXPLAIN, S("u"), S("1763700000000-0"), ""},
    {MESSAGE_EXPLAIN, S(""), S("1763700000000-0"), "user"},
    {MESSAGE_EXPLAIN, S("u"), S("a"), "cursor"},
    {MESSAGE_DRAIN, S(""), S(""), ""},
    {MESSAGE_DRAIN, S("u"), S(""), "user"},
    {MESSAGE_DRAIN, S(""), S("a"), "pattern"},
};

START_TEST(a_command_needs_a_user_and_the_channels_that_fit_it)
{
	struct message message = {
	    .type = MESSAGE_COMMAND,
	    .id = 1,
	    .command = commands[_i].command,
	    .user = commands[_i].user,
	    .pattern = commands[_i].pattern,
	};

	ck_assert_str_eq(refusal_code(message_check_command(&message).refusal),
	    commands[_i].code);
}
END_TEST

START_TEST(a_user_has_so_many_bytes_at_most)
{
	char name[MESSAGE_USER_MAX + 1];
	struct message message = {.command = MESSAGE_KICK};

	memset(name, 'u', sizeof(name));
	message.user = slice_of(name, MESSAGE_USER_MAX);
	ck_assert_int_eq(message_check_command(&message).refusal, REFUSAL_NONE);
	message.user.len++;
	ck_assert_int_eq(message_check_command(&message).refusal, REFUSAL_USER);
}
END_TEST

START_TEST(flags_may_be_left_out)
{
	struct message message;

	ck_assert_int_eq(read_whole(BYTES("\x96\x01\x01\xA1"
					  "a\xC0\xC0\xA1x"),
			     &message)
			     .refusal,
	    REFUSAL_NONE);
	ck_assert_uint_eq(message.flags, 0);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
	const char *code;
	const char *field; /* NULL: none */
	uint64_t seq;      /* known all the same */
} faults[] = {
    {BYTES("\xC0"), "malformed", NULL, 0},
    {BYTES("\x01"), "malformed", NULL, 0},
    {BYTES("\x81\x00\x01"), "malformed", NULL, 0},
    {BYTES("\xA1x"), "malformed", NULL, 0},
    {BYTES("\x90"), "malformed", "type", 0},
    {BYTES("\x91\x06"), "malformed", "type", 0},
    {BYTES("\x91\xFF"), "malformed", "type", 0},
    {BYTES("\x91\xA1x"), "malformed", "type", 0},
    {BYTES("\x91\xCD\x01\x00"), "malformed", "type", 0},
    {BYTES("\x91\x00"), "version", "version", 0},
    {BYTES("\x93\x00\xA1"
	   "1\xA1"
	   "a"),
	"version", "version", 0},
    {BYTES("\x92\x00\x01"), "publisher", "publisher", 0},
    {BYTES("\x93\x00\x01\x07"), "publisher", "publisher", 0},
    {BYTES("\x91\x01"), "seq", "seq", 0},
    {BYTES("\x96\x01\x00\xA1"
	   "a\xC0\xC0\xA1x"),
	"seq", "seq", 0},
    {BYTES("\x96\x01\xFF\xA1"
	   "a\xC0\xC0\xA1x"),
	"seq", "seq", 0},
    {BYTES("\x96\x01\xC0\xA1"
	   "a\xC0\xC0\xA1x"),
	"seq", "seq", 0},
    {BYTES("\x96\x01\xCF\x80\x00\x00\x00\x00\x00\x00\x00\xA1"
	   "a\xC0\xC0\xA1x"),
	"seq", "seq", 0},
    {BYTES("\x92\x01\x09"), "channel", "channel", 9},
    {BYTES("\x96\x01\x09\xC0\xC0\xC0\xA1x"), "channel", "channel", 9},
    {BYTES("\x96\x01\x09\xC4\x01"
	   "a\xC0\xC0\xA1x"),
	"channel", "channel", 9},
    {BYTES("\x96\x01\x09\xA1"
	   "a\x01\xC0\xA1x"),
	"type", "type", 9},
    {BYTES("\x96\x01\x09\xA1"
	   "a\xC0\xC2\xA1x"),
	"key", "key", 9},
    {BYTES("\x95\x01\x09\xA1"
	   "a\xC0\xC0"),
	"data", "data", 9},
    {BYTES("\x97\x01\x09\xA1"
	   "a\xC0\xC0\xA1x\xC0"),
	"flags", "flags", 9},
    {BYTES("\x97\x01\x09\xA1"
	   "a\xC0\xC0\xA1x\xCF\x00\x00\x00\x01\x00\x00\x00\x00"),
	"flags", "flags", 9},
    {BYTES("\x92\x02\x00"), "seq", "seq", 0},
    {BYTES("\x92\x02\x09"), "channel", "channel", 9},
    {BYTES("\x92\x10\xC0"), "malformed", "version", 0},
    {BYTES("\x92\x10\x01"), "malformed", "last", 0},
    {BYTES("\x93\x10\x01\x00"), "malformed", "max_event", 0},
    {BYTES("\x94\x10\x01\x00\x01"), "malformed", "window", 0},
    {BYTES("\x92\x14\x01"), "malformed", "text", 0},
    {BYTES("\x91\x05"), "malformed", "id", 0},
    {BYTES("\x95\x05\x00\xA4kick\xA2u1\xC0"), "malformed", "id", 0},
    {BYTES("\x95\x05\x01\xA4kiss\xA2u1\xC0"), "command", "command", 0},
    {BYTES("\x95\x05\x01\x07\xA2u1\xC0"), "command", "command", 0},
    {BYTES("\x95\x05\x01\xA4kick\xC0\xC0"), "user", "user", 0},
    {BYTES("\x95\x05\x01\xA4kick\xA2u1\x01"), "pattern", "channel", 0},
    {BYTES("\x92\x15\x01"), "malformed", "count", 0},
    {BYTES("\x94\x15\x00\x01\x00"), "malformed", "count", 0},
    {BYTES("\x94\x15\x01\x01\xFF"), "malformed", "count", 0},
    {BYTES("\x93\x16\x01\x01"), "malformed", "code", 0},
    {BYTES("\x95\x16\xC0\xA1x\xC0\xA1x"), "malformed", "code", 0},
    {BYTES("\x92\x20\x01"), "malformed", "publisher", 0},
    {BYTES("\x94\x21\xC0\xC0\xA1x"), "malformed", "id", 0},
    {BYTES("\x94\x21\x01\xA1x\xA1x"), "malformed", "peer", 0},
    {BYTES("\x94\x21\x01\xCE\xFF\xFF\xFF\xFF\xA1x"), "malformed", "peer", 0},
    {BYTES("\x94\x21\x01\x02\x03"), "malformed", "text", 0},
    {BYTES("\x94\x22\x01\xC0\xC0"), "malformed", "peer", 0},
    {BYTES("\x94\x22\x01\x02\xC2"), "malformed", "text", 0},
};

START_TEST(a_fault_names_its_code_and_field)
{
	struct message message;
	struct fault fault =
	    read_whole(faults[_i].bytes, faults[_i].len, &message);

	ck_assert_str_eq(refusal_code(fault.refusal), faults[_i].code);
	if (faults[_i].field == NULL)
		ck_assert_ptr_null(fault.field);
	else
		ck_assert_str_eq(fault.field, faults[_i].field);
	ck_assert_uint_eq(message.seq, faults[_i].seq);
}
END_TEST

START_TEST(answers_with_a_fault_are_malformed)
{
	static const struct {
		const char *bytes;
		size_t len;
	} answers[] = {{BYTES("\x91\x11")}, {BYTES("\x92\x11\x00")},
	    {BYTES("\x93\x11\x01\xA1x")}, {BYTES("\x94\x11\x01\x05\x01")},
	    {BYTES("\x91\x12")}, {BYTES("\x94\x12\x01\x01\xC0")},
	    {BYTES("\x95\x12\x01\xA1x\x01\xA1x")},
	    {BYTES("\x94\x12\x01\xA1x\xC0")}, {BYTES("\x91\x13")},
	    {BYTES("\x93\x13\x01\xFF")}};

	for (int i = 0; i < COUNT(answers); i++) {
		struct message message;

		ck_assert_msg(
		    read_whole(answers[i].bytes, answers[i].len, &message)
			    .refusal != REFUSAL_NONE,
		    "answer %d", i);
	}
}
END_TEST

/* The count of an element that is not there costs nothing. */
static const struct {
	const char *bytes;
	size_t len;
} hostile[] = {
    {BYTES("\xDD\xFF\xFF\xFF\xFF")},
    {BYTES("\xDF\xFF\xFF\xFF\xFF")},
    {BYTES("\xDB\xFF\xFF\xFF\xFF")},
    {BYTES("\xC6\xFF\xFF\xFF\xFF")},
    {BYTES("\xC9\xFF\xFF\xFF\xFF")},
    {BYTES("\x97\x01\x01\xDD\x00\x10\x00\x00")},
    {BYTES("\xDD\x00\x08\x00\x00\xDD\x00\x08\x00\x01")},
    {BYTES("\xDF\x00\x08\x00\x00")},
    {BYTES("\x93\xDD\x00\x05\x00\x00\xDD\x00\x05\x00\x00\xDD\x00\x07\x00"
	   "\x00")},
    {BYTES("\x92\xDF\x7F\xFF\xFF\xFF\xDF\x7F\xFF\xFF\xFF")},
};

START_TEST(a_count_that_cannot_come_true_is_refused_at_once)
{
	enum refusal why = REFUSAL_NONE;
	size_t size;

	ck_assert_int_eq(message_scan(hostile[_i].bytes, hostile[_i].len,
			     MAX_BYTES, &size, &why),
	    MESSAGE_BAD);
	ck_assert_str_eq(refusal_code(why), "too-large");
}
END_TEST

START_TEST(a_message_may_be_just_as_long_as_allowed)
{
	static const char bytes[] = "\x93\x00\x01\xA4shop";
	enum refusal why = REFUSAL_NONE;
	size_t len = sizeof(bytes) - 1, size;

	ck_assert_int_eq(
	    message_scan(bytes, len, len, &size, &why), MESSAGE_WHOLE);
	ck_assert_int_eq(
	    message_scan(bytes, len, len - 1, &size, &why), MESSAGE_BAD);
	ck_assert_str_eq(refusal_code(why), "too-large");
	/* Known before the last bytes have come. */
	ck_assert_int_eq(
	    message_scan(bytes, 4, len - 1, &size, &why), MESSAGE_BAD);
}
END_TEST

START_TEST(the_byte_that_msgpack_does_not_use_is_malformed)
{
	enum refusal why = REFUSAL_NONE;
	size_t size;

	ck_assert_int_eq(
	    message_scan(BYTES("\x92\x04\xC1"), MAX_BYTES, &size, &why),
	    MESSAGE_BAD);
	ck_assert_str_eq(refusal_code(why), "malformed");
}
END_TEST

/* A PUBLISH whose data are so many arrays, one in the other. */
static void
write_nested(struct buf *buf, int depth)
{
	buf_append(buf, BYTES("\x97\x01\x01\xA1"
			      "a\xC0\xC0"));
	for (int i = 0; i < depth; i++)
		buf_append_char(buf, '\x91');
	buf_append(buf, BYTES("\x05\x00"));
}

START_TEST(the_deepest_message_is_read_and_one_deeper_is_refused)
{
	enum refusal why = REFUSAL_NONE;
	struct message message;
	struct buf buf;
	size_t size;

	buf_init(&buf, 0);
	write_nested(&buf, MESSAGE_DEPTH_MAX - 1);
	ck_assert_int_eq(
	    read_whole(buf_bytes(&buf), buf_length(&buf), &message).refusal,
	    REFUSAL_NONE);
	ck_assert_int_eq(message.data, MESSAGE_DATA_PACKED);
	ck_assert_uint_eq(
	    message.event.data.len, 2 * (MESSAGE_DEPTH_MAX - 1) + 1);
	buf_clear(&buf);
	write_nested(&buf, MESSAGE_DEPTH_MAX);
	ck_assert_int_eq(message_scan(buf_bytes(&buf), buf_length(&buf),
			     MAX_BYTES, &size, &why),
	    MESSAGE_BAD);
	ck_assert_str_eq(refusal_code(why), "too-deep");
	buf_finish(&buf);
}
END_TEST

START_TEST(empty_containers_nest_no_deeper)
{
	struct message message;
	struct buf buf;

	buf_init(&buf, 0);
	buf_append(&buf, BYTES("\x96\x01\x01\xA1"
			       "a\xC0\xC0"));
	for (int i = 0; i < MESSAGE_DEPTH_MAX - 1; i++)
		buf_append_char(&buf, '\x91');
	buf_append_char(&buf, '\x90');
	ck_assert_int_eq(
	    read_whole(buf_bytes(&buf), buf_length(&buf), &message).refusal,
	    REFUSAL_NONE);
	buf_finish(&buf);
}
END_TEST

/* Data that are a value, and the JSON that it becomes. */
static const struct {
	const char *value;
	size_t len;
	const char *json; /* NULL: refused */
	const char *code;
} values[] = {
    {BYTES("\xC0"), "null", NULL},
    {BYTES("\xC2"), "false", NULL},
    {BYTES("\xC3"), "true", NULL},
    {BYTES("\x07"), "7", NULL},
    {BYTES("\xE0"), "-32", NULL},
    {BYTES("\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "18446744073709551615",
	NULL},
    {BYTES("\xD3\x80\x00\x00\x00\x00\x00\x00\x00"), "-9223372036854775808",
	NULL},
    {BYTES("\xCB\x40\x33\xFD\x70\xA3\xD7\x0A\x3D"), "19.99", NULL},
    {BYTES("\xCB\x3F\xB9\x99\x99\x99\x99\x99\x9A"), "0.1", NULL},
    {BYTES("\xCB\x00\x00\x00\x00\x00\x00\x00\x00"), "0", NULL},
    {BYTES("\xCB\x7F\xEF\xFF\xFF\xFF\xFF\xFF\xFF"), "1.7976931348623157e+308",
	NULL},
    {BYTES("\xCA\x3F\x00\x00\x00"), "0.5", NULL},
    {BYTES("\x90"), "[]", NULL},
    {BYTES("\x80"), "{}", NULL},
    {BYTES("\x93\x01\xA1x\xC0"), "[1,\"x\",null]", NULL},
    {BYTES("\x82\xA1"
	   "a\x01\xA1"
	   "b\x92\xC3\xC2"),
	"{\"a\":1,\"b\":[true,false]}", NULL},
    {BYTES("\x82\x01\xA1x\xFF\xA1y"), "{\"1\":\"x\",\"-1\":\"y\"}", NULL},
    {BYTES("\x91\xC4\x03"
	   "foo"),
	"[\"Zm9v\"]", NULL},
    {BYTES("\x91\xA3\"\n\x01"), "[\"\\\"\\n\\u0001\"]", NULL},
    {BYTES("\xCB\x7F\xF0\x00\x00\x00\x00\x00\x00"), NULL, "data"},
    {BYTES("\xCB\x7F\xF8\x00\x00\x00\x00\x00\x00"), NULL, "data"},
    {BYTES("\xD4\x01\x00"), NULL, "data"},
    {BYTES("\x91\xD6\xFF\x00\x00\x00\x00"), NULL, "data"},
    {BYTES("\x81\xC0\x01"), NULL, "data"},
    {BYTES("\x81\x90\x01"), NULL, "data"},
    {BYTES("\x91\xA1\xFF"), NULL, "utf8"},
    {BYTES("\x81\xA1\xFF\x01"), NULL, "utf8"},
};

START_TEST(a_value_becomes_json)
{
	struct fault fault;
	struct message message;
	struct buf buf;

	buf_init(&buf, 0);
	message_write(
	    &buf, &(struct message){.type = MESSAGE_PUBLISH,
		      .seq = 1,
		      .data = MESSAGE_DATA_PACKED,
		      .event = {.channel = S("a"),
			  .data = slice_of(values[_i].value, values[_i].len)}});
	fault = read_whole(buf_bytes(&buf), buf_length(&buf), &message);
	ck_assert_uint_eq(message.seq, 1);
	ck_assert_int_eq(message.data, MESSAGE_DATA_PACKED);
	if (values[_i].json != NULL) {
		ck_assert_str_eq(refusal_code(fault.refusal), "");
		assert_slice(message.event.data, values[_i].json);
	} else {
		ck_assert_str_eq(refusal_code(fault.refusal), values[_i].code);
		ck_assert_str_eq(fault.field, "data");
	}
	buf_finish(&buf);
}
END_TEST

START_TEST(a_value_is_exactly_one)
{
	for (int i = 0; i < COUNT(values); i++)
		ck_assert(message_value_valid(values[i].value, values[i].len));
	ck_assert(!message_value_valid(NULL, 0));
	ck_assert(!message_value_valid(BYTES("\x01\x02")));
	ck_assert(!message_value_valid(BYTES("\x92\x01")));
	ck_assert(!message_value_valid(BYTES("\x01\xC4")));
	ck_assert(!message_value_valid(BYTES("\xC1")));
	ck_assert(!message_value_valid(BYTES("\xA2"
					     "a")));
}
END_TEST

START_TEST(a_value_is_valid_when_it_fits_into_a_message)
{
	char value[MESSAGE_DEPTH_MAX + 1];

	memset(value, '\x91', sizeof(value));
	value[MESSAGE_DEPTH_MAX - 1] = '\x05';
	ck_assert(message_value_valid(value, MESSAGE_DEPTH_MAX));
	value[MESSAGE_DEPTH_MAX - 1] = '\x91';
	value[MESSAGE_DEPTH_MAX] = '\x05';
	ck_assert(!message_value_valid(value, MESSAGE_DEPTH_MAX + 1));
}
END_TEST

static const struct {
	enum message_data data;
	uint32_t flags;
	int result;
	enum event_meaning meaning;
} meanings[] = {
    {MESSAGE_DATA_TEXT, 0, 0, EVENT_GUESS},
    {MESSAGE_DATA_TEXT, MESSAGE_FLAG_JSON, 0, EVENT_AS_JSON},
    {MESSAGE_DATA_TEXT, MESSAGE_FLAG_TEXT, 0, EVENT_AS_TEXT},
    {MESSAGE_DATA_TEXT, MESSAGE_FLAG_RECEIPT, 0, EVENT_GUESS},
    {MESSAGE_DATA_TEXT, MESSAGE_FLAG_COUNTS, 0, EVENT_GUESS},
    {MESSAGE_DATA_BYTES, 0, 0, EVENT_AS_BYTES},
    {MESSAGE_DATA_BYTES, MESSAGE_FLAG_RECEIPT, 0, EVENT_AS_BYTES},
    {MESSAGE_DATA_PACKED, 0, 0, EVENT_AS_JSON},
    {MESSAGE_DATA_TEXT, MESSAGE_FLAG_JSON | MESSAGE_FLAG_TEXT, -1, EVENT_GUESS},
    {MESSAGE_DATA_TEXT, 16, -1, EVENT_GUESS},
    {MESSAGE_DATA_TEXT, UINT32_MAX, -1, EVENT_GUESS},
    {MESSAGE_DATA_BYTES, MESSAGE_FLAG_JSON, -1, EVENT_GUESS},
    {MESSAGE_DATA_PACKED, MESSAGE_FLAG_TEXT, -1, EVENT_GUESS},
};

START_TEST(flags_and_data_say_together_what_is_meant)
{
	struct message message = {
	    .data = meanings[_i].data, .flags = meanings[_i].flags};
	enum event_meaning meaning = EVENT_GUESS;

	ck_assert_int_eq(
	    message_meaning(&message, &meaning), meanings[_i].result);
	ck_assert_int_eq(meaning, meanings[_i].meaning);
}
END_TEST

START_TEST(publisher_ids_are_short_channels)
{
	char id[MESSAGE_PUBLISHER_MAX + 1];

	memset(id, 'a', sizeof(id));
	ck_assert(message_publisher_valid(slice_of(id, 1)));
	ck_assert(message_publisher_valid(slice_of(id, MESSAGE_PUBLISHER_MAX)));
	ck_assert(
	    !message_publisher_valid(slice_of(id, MESSAGE_PUBLISHER_MAX + 1)));
	ck_assert(!message_publisher_valid(slice_of(NULL, 0)));
	ck_assert(!message_publisher_valid(slice_of_text("a b")));
}
END_TEST

START_TEST(publisher_ids_of_links_are_none_of_the_socket)
{
	char id[MESSAGE_PUBLISHER_MAX + 1];

	memset(id, 'a', sizeof(id));
	*id = '+';
	ck_assert(message_link_publisher_valid(slice_of(id, 2)));
	ck_assert(!message_publisher_valid(slice_of(id, 2)));
	ck_assert(
	    message_link_publisher_valid(slice_of(id, MESSAGE_PUBLISHER_MAX)));
	ck_assert(!message_link_publisher_valid(
	    slice_of(id, MESSAGE_PUBLISHER_MAX + 1)));
	ck_assert(!message_link_publisher_valid(slice_of(id, 1)));
	ck_assert(!message_link_publisher_valid(slice_of(NULL, 0)));
	ck_assert(!message_link_publisher_valid(slice_of_text("a")));
	ck_assert(!message_link_publisher_valid(slice_of_text("+a b")));
}
END_TEST

START_TEST(a_buffer_without_room_fails_and_says_so)
{
	struct buf buf;

	buf_init(&buf, 8);
	message_write(&buf, &rows[1].message);
	ck_assert(buf_failed(&buf));
	buf_finish(&buf);
}
END_TEST

static void
add_bytes_tests(TCase *tests)
{
	tcase_add_loop_test(
	    tests, each_message_is_written_as_the_page_says, 0, COUNT(rows));
	tcase_add_loop_test(
	    tests, each_message_is_read_back_as_it_was, 0, COUNT(rows));
	tcase_add_loop_test(
	    tests, a_message_cut_off_anywhere_is_a_part, 0, COUNT(rows));
	tcase_add_loop_test(tests, a_message_with_any_byte_changed_does_no_harm,
	    0, COUNT(rows));
	tcase_add_test(tests, messages_follow_each_other_without_a_gap);
	tcase_add_test(tests, elements_after_the_known_ones_are_ignored);
	tcase_add_loop_test(tests,
	    a_command_needs_a_user_and_the_channels_that_fit_it, 0,
	    COUNT(commands));
	tcase_add_test(tests, a_user_has_so_many_bytes_at_most);
	tcase_add_test(tests, flags_may_be_left_out);
	tcase_add_loop_test(
	    tests, a_fault_names_its_code_and_field, 0, COUNT(faults));
	tcase_add_test(tests, answers_with_a_fault_are_malformed);
	tcase_add_test(tests, a_buffer_without_room_fails_and_says_so);
}

static void
add_bounds_tests(TCase *tests)
{
	tcase_add_loop_test(tests,
	    a_count_that_cannot_come_true_is_refused_at_once, 0,
	    COUNT(hostile));
	tcase_add_test(tests, a_message_may_be_just_as_long_as_allowed);
	tcase_add_test(tests, the_byte_that_msgpack_does_not_use_is_malformed);
	tcase_add_test(
	    tests, the_deepest_message_is_read_and_one_deeper_is_refused);
	tcase_add_test(tests, empty_containers_nest_no_deeper);
}

static void
add_data_tests(TCase *tests)
{
	tcase_add_loop_test(tests, a_value_becomes_json, 0, COUNT(values));
	tcase_add_test(tests, a_value_is_exactly_one);
	tcase_add_test(tests, a_value_is_valid_when_it_fits_into_a_message);
	tcase_add_loop_test(tests, flags_and_data_say_together_what_is_meant, 0,
	    COUNT(meanings));
	tcase_add_test(tests, publisher_ids_are_short_channels);
	tcase_add_test(tests, publisher_ids_of_links_are_none_of_the_socket);
}

static Suite *
suite(void)
{
	Suite *suite = suite_create("message");
	TCase *tests = tcase_create("message");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	add_bytes_tests(tests);
	add_bounds_tests(tests);
	add_data_tests(tests);
	suite_add_tcase(suite, tests);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
