/*
 * Tests of store_read and store_losses: steps through random histories give
 * what a list of all events gives, by merging and by scanning.
 */
#include "broker/worker/cursor/store_read.h"

#include "tests/unit/sample_event.h"
#include "tests/unit/store_folder.h"
#include "tests/unit/suite.h"

enum {
	EVENTS = 3000,
	FEW_NAMES = 12,
	MANY_NAMES = 300, /* more than are merged */
	NAMES = FEW_NAMES + MANY_NAMES,
	PATTERNS_MAX = 6,
	ROUNDS = 60,
};

static const char *const few[FEW_NAMES] = {"a", "a:", "a:b", "a:b:c", "a:bb",
    "a;b", "a/b", "ab", "b", "b:a", "b:a:a", "z:z"};
static const char *const prefixes[] = {
    "a:*", "a:b:*", "b:*", "z:*", "none:*", "many:*"};

static struct store_folder store;
static struct store_reader *reader;
static uint64_t state; /* of sample_random() */

/* The model: one event, and one channel. */
static struct {
	uint64_t cursor;
	int name;
} events[EVENTS];
static struct {
	char name[16];
	uint64_t horizon;
	uint64_t lost; /* step */
} names[NAMES];
static uint64_t oldest; /* index of the oldest event that is left */

static void
put_all(void)
{
	uint64_t cursor = 1000;

	ck_assert_int_eq(store_begin(store.writer), 0);
	for (int i = 0; i < EVENTS; i++) {
		char text[16];

		cursor += 1 + sample_below(&state, 3);
		events[i].cursor = cursor;
		events[i].name =
		    (int)(sample_below(&state, 2) == 0
			      ? sample_below(&state, FEW_NAMES)
			      : FEW_NAMES + sample_below(&state, MANY_NAMES));
		snprintf(text, sizeof(text), "%d", i);
		store_put(&store, cursor, names[events[i].name].name, text);
	}
	ck_assert_int_eq(store_commit(store.writer), 0);
}

static void
set_up(void)
{
	state = 0x9E3779B97F4A7C15;
	oldest = 0;
	for (int i = 0; i < NAMES; i++) {
		char number[8];

		snprintf(number, sizeof(number), "%d", i);
		snprintf(names[i].name, sizeof(names[i].name), "%s%s",
		    i < FEW_NAMES ? few[i] : "many:",
		    i < FEW_NAMES ? "" : number);
		names[i].horizon = names[i].lost = 0;
	}
	store_folder_make(&store);
	put_all();
	reader = store_reader_open(store.path);
	ck_assert_ptr_nonnull(reader);
}

static void
tear_down(void)
{
	store_reader_close(reader);
	store_folder_remove(&store);
}

/* The oldest events go, here and in the store. */
static void
let_go(size_t count)
{
	const struct store_limits limits = {UINT64_MAX,
	    store_writer_totals(store.writer)->events - count, UINT64_MAX,
	    NAMES};

	ck_assert_int_eq(
	    store_trim(store.writer, &limits, 0, (int)count, &(bool){false}),
	    (int)count);
	for (size_t i = 0; i < count; i++, oldest++) {
		int name = events[oldest].name;

		names[name].horizon = events[oldest].cursor;
		names[name].lost = store_writer_totals(store.writer)->losses;
	}
}

/* --- what is asked --- */

struct asked {
	struct slice patterns[PATTERNS_MAX];
	struct store_request request;
};

static struct slice
random_pattern(void)
{
	size_t prefix_count = sizeof(prefixes) / sizeof(prefixes[0]);

	switch (sample_below(&state, 8)) {
	case 0:
		return slice_of_text("*");
	case 1:
	case 2:
	case 3:
		return slice_of_text(
		    prefixes[sample_below(&state, prefix_count)]);
	default:
		return slice_of_text(names[sample_below(&state, NAMES)].name);
	}
}

static void
ask(struct asked *asked)
{
	uint64_t first = events[0].cursor - 5;
	size_t range = (size_t)(events[EVENTS - 1].cursor - first) + 10;
	size_t count = 1 + sample_below(&state, PATTERNS_MAX);

	for (size_t i = 0; i < count; i++)
		asked->patterns[i] = random_pattern();
	asked->request = (struct store_request){
	    .patterns = asked->patterns,
	    .pattern_count = count,
	    .after = first + sample_below(&state, range),
	    .until = first + sample_below(&state, range),
	    .rows = 1 + (int)sample_below(&state, 200),
	    .bytes = sample_below(&state, 3) * (1 + sample_below(&state, 200)),
	};
	if (asked->request.until < asked->request.after)
		asked->request.until = events[EVENTS - 1].cursor + 5;
}

static bool
covers(const struct asked *asked, int name)
{
	for (size_t i = 0; i < asked->request.pattern_count; i++) {
		if (event_pattern_covers(
			asked->patterns[i], slice_of_text(names[name].name)))
			return true;
	}
	return false;
}

/* --- events --- */

/* What a step may give, and where the model is. */
struct step {
	const struct asked *asked;
	uint64_t next; /* index into events */
	int room;      /* takes so many */
	int taken;
};

/* The index of the next event that is wanted, from there on. */
static uint64_t
next_wanted(const struct asked *asked, uint64_t index)
{
	while (
	    index < EVENTS &&
	    (index < oldest || events[index].cursor <= asked->request.after ||
		!covers(asked, events[index].name)))
		index++;
	if (index < EVENTS && events[index].cursor > asked->request.until)
		return EVENTS;
	return index;
}

static bool
take(const struct event *event, void *context)
{
	struct step *step = context;
	char text[16];

	step->next = next_wanted(step->asked, step->next);
	ck_assert_uint_lt(step->next, EVENTS);
	ck_assert_uint_eq(event->cursor, events[step->next].cursor);
	ck_assert(
	    slice_is(event->channel, names[events[step->next].name].name));
	snprintf(text, sizeof(text), "%d", (int)step->next);
	ck_assert(slice_is(event->data, text));
	if (step->taken == step->room)
		return false;
	step->taken++;
	step->next++;
	return true;
}

/* One step; false when it was the last. */
static bool
take_step(struct asked *asked, struct step *step)
{
	uint64_t reached = 0;

	step->taken = 0;
	step->room = (int)sample_below(&state, 300);
	ck_assert_int_eq(store_read_begin(reader), 0);
	ck_assert_int_eq(
	    store_read_events(reader, &asked->request, take, step, &reached),
	    0);
	store_read_end(reader);
	ck_assert_int_le(step->taken, asked->request.rows);
	ck_assert_uint_ge(reached, asked->request.after);
	ck_assert_uint_le(reached, asked->request.until);
	/* Where it got: nothing before that is left, nothing after taken. */
	step->next = next_wanted(asked, step->next);
	if (step->next < EVENTS)
		ck_assert_uint_lt(reached, events[step->next].cursor);
	/* It must get on, unless it was kept from it. */
	ck_assert(reached > asked->request.after || step->room == 0 ||
		  reached == asked->request.until);
	asked->request.after = reached;
	return reached < asked->request.until;
}

START_TEST(steps_give_each_event_that_is_left_once_and_in_order)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct asked asked;
		struct step step = {.asked = &asked};

		if (round >= ROUNDS / 2)
			let_go(1 + sample_below(&state, 60));
		ask(&asked);
		while (take_step(&asked, &step))
			;
		ck_assert_uint_eq(next_wanted(&asked, step.next), EVENTS);
	}
}
END_TEST

START_TEST(many_rows_at_once_are_read_in_one_step)
{
	struct asked asked = {.patterns = {slice_of_text("a:*")}};
	struct step step = {.asked = &asked, .room = EVENTS};
	uint64_t reached;

	asked.request = (struct store_request){
	    .patterns = asked.patterns,
	    .pattern_count = 1,
	    .until = events[EVENTS - 1].cursor + 100,
	    .rows = EVENTS,
	};
	ck_assert_int_eq(store_read_begin(reader), 0);
	ck_assert_int_eq(
	    store_read_events(reader, &asked.request, take, &step, &reached),
	    0);
	store_read_end(reader);
	ck_assert_uint_eq(reached, asked.request.until);
	ck_assert_uint_eq(next_wanted(&asked, step.next), EVENTS);
	ck_assert_int_gt(step.taken, 100);
}
END_TEST

START_TEST(a_step_is_over_when_it_has_looked_at_so_many_bytes)
{
	static const char *const patterns[] = {"a:b", "*"};
	struct asked asked = {.patterns = {slice_of_text(patterns[_i])}};
	struct step step = {.asked = &asked, .room = EVENTS};
	uint64_t reached = 0;

	/* Each event has a byte at least, those of the end have four. */
	asked.request = (struct store_request){
	    .patterns = asked.patterns,
	    .pattern_count = 1,
	    .after = events[EVENTS - 1000].cursor,
	    .until = events[EVENTS - 1].cursor,
	    .rows = EVENTS,
	    .bytes = 40,
	};
	ck_assert_int_eq(store_read_begin(reader), 0);
	ck_assert_int_eq(
	    store_read_events(reader, &asked.request, take, &step, &reached),
	    0);
	store_read_end(reader);
	ck_assert_int_eq(step.taken, 10);
	ck_assert_uint_eq(reached, events[step.next - 1].cursor);
}
END_TEST

START_TEST(a_snapshot_does_not_change_while_it_is_read)
{
	uint64_t horizon, losses, now;

	ck_assert_int_eq(store_read_begin(reader), 0);
	ck_assert_int_eq(store_read_horizon(reader, &horizon, &losses), 0);
	ck_assert_uint_eq(horizon, 0);
	ck_assert_int_eq(
	    store_trim(store.writer,
		&(struct store_limits){UINT64_MAX, 10, UINT64_MAX, 1000}, 0,
		100, &(bool){false}),
	    100);
	ck_assert_int_eq(store_read_horizon(reader, &now, &losses), 0);
	ck_assert_uint_eq(now, 0);
	store_read_end(reader);
	ck_assert_int_eq(store_read_begin(reader), 0);
	ck_assert_int_eq(store_read_horizon(reader, &now, &losses), 0);
	ck_assert_uint_eq(now, events[99].cursor);
	ck_assert_uint_eq(losses, 1);
	store_read_end(reader);
}
END_TEST

/* --- losses --- */

static bool told[NAMES];

static void
note(struct slice name, void *context)
{
	int i = 0;

	(void)context;
	while (i < NAMES && !slice_is(name, names[i].name))
		i++;
	ck_assert_int_lt(i, NAMES);
	ck_assert(!told[i]);
	told[i] = true;
}

/* Asks for losses, and holds them against the model. */
static void
assert_losses(const struct asked *asked, uint64_t *losses)
{
	uint64_t reported = *losses;

	memset(told, 0, sizeof(told));
	ck_assert_int_eq(store_read_begin(reader), 0);
	ck_assert_int_eq(
	    store_read_losses(reader, &asked->request, losses, note, NULL), 0);
	store_read_end(reader);
	for (int i = 0; i < NAMES; i++)
		ck_assert_int_eq(
		    told[i], covers(asked, i) && names[i].lost > reported &&
				 names[i].horizon > asked->request.after);
	ck_assert_uint_eq(*losses, store_writer_totals(store.writer)->losses);
}

START_TEST(losses_name_just_the_channels_that_lost_what_was_still_wanted)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct asked asked;
		uint64_t losses = 0;

		ask(&asked);
		assert_losses(&asked, &losses);
		let_go(1 + sample_below(&state, 20));
		assert_losses(&asked, &losses);
		/* Once is enough. */
		assert_losses(&asked, &losses);
		for (int i = 0; i < NAMES; i++)
			ck_assert(!told[i]);
		asked.request.after += sample_below(&state, 200);
		let_go(1 + sample_below(&state, 20));
		assert_losses(&asked, &losses);
	}
}
END_TEST

static int pattern_count;

static void
count_pattern(struct slice name, void *context)
{
	const struct asked *asked = context;

	ck_assert(slice_equal(name, asked->request.patterns[pattern_count++]));
}

START_TEST(whose_losses_are_forgotten_is_told_of_by_the_patterns)
{
	struct asked asked = {
	    .patterns = {slice_of_text("a:*"), slice_of_text("never")}};
	struct store_limits limits = {UINT64_MAX, 0, UINT64_MAX, 1};
	uint64_t losses = 0;

	for (int i = 0; i < 200; i++)
		ck_assert_int_ge(
		    store_trim(store.writer, &limits, 0, 512, &(bool){false}),
		    0);
	ck_assert_uint_le(store_writer_totals(store.writer)->channels, 1);
	asked.request = (struct store_request){.patterns = asked.patterns,
	    .pattern_count = 2,
	    .after = store_writer_totals(store.writer)->floor - 1};
	ck_assert_int_eq(store_read_losses(reader, &asked.request, &losses,
			     count_pattern, &asked),
	    0);
	ck_assert_int_eq(pattern_count, 2);
	losses = 0;
	asked.request.after = store_writer_totals(store.writer)->max_horizon;
	ck_assert_int_eq(store_read_losses(reader, &asked.request, &losses,
			     count_pattern, &asked),
	    0);
	ck_assert_int_eq(pattern_count, 2);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("store_read");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(
	    tests, steps_give_each_event_that_is_left_once_and_in_order);
	tcase_add_test(tests, many_rows_at_once_are_read_in_one_step);
	tcase_add_loop_test(
	    tests, a_step_is_over_when_it_has_looked_at_so_many_bytes, 0, 2);
	tcase_add_test(tests, a_snapshot_does_not_change_while_it_is_read);
	tcase_add_test(tests,
	    losses_name_just_the_channels_that_lost_what_was_still_wanted);
	tcase_add_test(
	    tests, whose_losses_are_forgotten_is_told_of_by_the_patterns);
	return suite_run("store_read", tests);
}
