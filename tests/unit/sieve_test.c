/*
 * Tests of sieve: whatever a subscriber wants passes, and of the rest very
 * little does.
 */
#include "broker/worker/cursor/sieve.h"

#include <stdio.h>

#include "broker/worker/cursor/window.h"
#include "broker/worker/subscriber.h"
#include "tests/unit/suite.h"

enum { EVENTS = 1024, NAMES = 300, WINDOW_BYTES = 1 << 20 };

static struct channels *channels;
static struct window window;
static struct subscriber subscriber;
static struct channels_member members[NAMES];

static void
set_up(void)
{
	channels = channels_create();
	ck_assert_int_eq(
	    window_init(&window, WINDOW_BYTES, EVENTS, &sse_raw, 1), 0);
	subscriber = (struct subscriber){.members = members};
}

static void
tear_down(void)
{
	for (uint32_t i = 0; i < subscriber.member_count; i++)
		channels_unsubscribe(channels, &members[i]);
	channels_destroy(channels);
	window_finish(&window);
}

static void
subscribe(const char *pattern)
{
	ck_assert_int_eq(channels_subscribe(channels, slice_of_text(pattern),
			     &subscriber, &members[subscriber.member_count++]),
	    0);
}

/* An event on "PREFIX NUMBER"; its entry's number. */
static uint64_t
add(const char *prefix, int number)
{
	static uint64_t cursor;
	char name[64];
	struct event event = {.cursor = ++cursor, .kind = EVENT_TEXT};
	uint32_t hash;

	snprintf(name, sizeof(name), "%s%d", prefix, number);
	event.channel = slice_of_text(name);
	event.type = event.key = event.data = slice_of("", 0);
	hash = channels_hash(event.channel);
	record_write(window_reserve(&window, record_size(&event)), &event);
	return window_commit(&window, hash);
}

/* How many of so many events on other channels pass. */
static size_t
count_passing(int events)
{
	struct sieve sieve;
	size_t count = 0;

	sieve_make(&sieve, &subscriber, SIEVE_EVENTS);
	for (int i = 0; i < events; i++)
		count += sieve_passes(&sieve, &window, add("other:", i));
	return count;
}

START_TEST(what_is_wanted_passes)
{
	struct sieve sieve;
	char name[32];

	for (int i = 0; i < NAMES - 2; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		subscribe(name);
	}
	subscribe("p:*");
	subscribe("p:1:q:*");
	sieve_make(&sieve, &subscriber, SIEVE_EVENTS);
	for (int i = 0; i < NAMES - 2; i++) {
		ck_assert(sieve_passes(&sieve, &window, add("n", i)));
		ck_assert(sieve_passes(&sieve, &window, add("p:", i)));
		ck_assert(sieve_passes(&sieve, &window, add("p:1:q:", i)));
	}
}
END_TEST

START_TEST(of_the_rest_little_passes)
{
	char name[32];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		subscribe(name);
	}
	subscribe("p:*");
	ck_assert_uint_lt(count_passing(EVENTS), EVENTS / 50);
}
END_TEST

START_TEST(all_passes_where_it_must)
{
	static const char *const patterns[] = {
	    "a:*", "b:*", "c:*", "d:*", "e:*", "f:*", "g:*", "h:*", "other:*"};
	struct sieve sieve;

	/* Who finishes an event gets it, whatever its channels are now. */
	subscriber.alone = true;
	ck_assert_uint_eq(count_passing(EVENTS), EVENTS);
	subscriber.alone = false;
	ck_assert_uint_eq(count_passing(EVENTS), 0);
	/* More prefixes than it has room for. */
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		subscribe(patterns[i]);
	ck_assert_uint_eq(count_passing(EVENTS), EVENTS);
	channels_unsubscribe(channels, &members[--subscriber.member_count]);
	ck_assert_uint_eq(count_passing(EVENTS), 0);
	subscribe("*");
	ck_assert_uint_eq(count_passing(EVENTS), EVENTS);
	channels_unsubscribe(channels, &members[--subscriber.member_count]);
	/* Few events are looked at anyway. */
	sieve_make(&sieve, &subscriber, SIEVE_EVENTS - 1);
	ck_assert(sieve_passes(&sieve, &window, add("other:", 1)));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("sieve");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_is_wanted_passes);
	tcase_add_test(tests, of_the_rest_little_passes);
	tcase_add_test(tests, all_passes_where_it_must);
	return suite_run("sieve", tests);
}
