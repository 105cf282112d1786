/* Tests of channels: random subscriptions against a list of all of them. */
#include "broker/worker/cursor/channels.h"

#include "protocol/event.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/suite.h"

enum { OWNERS = 40, MEMBERS = 6, STEPS = 20000 };

static const char *const patterns[] = {"*", "a", "a:", "a:*", "a:b", "a:b:*",
    "a:b:c", "a:b:c:*", "ab", "ab:*", "b:a", "b:*", ":", ":*", "::*", "a::*",
    "x.y_z~@/-:*"};
static const char *const asked[] = {"a", "a:", "a:b", "a:b:", "a:b:c",
    "a:b:c:d", "a:bc", "ab", "ab:c", "b", "b:a", ":", "::", ":a", "a::b",
    "x.y_z~@/-:1", "none"};

enum {
	PATTERNS = sizeof(patterns) / sizeof(patterns[0]),
	ASKED = sizeof(asked) / sizeof(asked[0]),
};

/* An owner, as a subscriber is, and the model: which patterns it has. */
struct owner {
	struct channels_member members[MEMBERS];
	int pattern[MEMBERS]; /* -1: none */
	int found;
};

static struct owner owners[OWNERS];
static struct channels *channels;
static uint64_t state;

static void
set_up(void)
{
	channels = channels_create();
	ck_assert_ptr_nonnull(channels);
	state = 31415926;
	memset(owners, 0, sizeof(owners));
	for (int i = 0; i < OWNERS; i++) {
		for (int j = 0; j < MEMBERS; j++)
			owners[i].pattern[j] = -1;
	}
}

static void
tear_down(void)
{
	channels_destroy(channels);
}

static void
subscribe(struct owner *owner, int member, int pattern)
{
	ck_assert_int_eq(
	    channels_subscribe(channels, slice_of_text(patterns[pattern]),
		owner, &owner->members[member]),
	    0);
	owner->pattern[member] = pattern;
}

static void
unsubscribe(struct owner *owner, int member)
{
	channels_unsubscribe(channels, &owner->members[member]);
	ck_assert_ptr_null(owner->members[member].node);
	owner->pattern[member] = -1;
}

static void
found(void *owner, void *context)
{
	ck_assert_ptr_eq(context, &state);
	((struct owner *)owner)->found++;
}

/* How often the owner must be found: once for each subscription. */
static int
expected(const struct owner *owner, struct slice channel)
{
	int count = 0;

	for (int i = 0; i < MEMBERS; i++) {
		if (owner->pattern[i] != -1 &&
		    event_pattern_covers(
			slice_of_text(patterns[owner->pattern[i]]), channel))
			count++;
	}
	return count;
}

static void
assert_matches(const char *name)
{
	struct slice channel = slice_of_text(name);

	for (int i = 0; i < OWNERS; i++)
		owners[i].found = 0;
	channels_match(
	    channels, channel, channels_hash(channel), found, &state);
	for (int i = 0; i < OWNERS; i++)
		ck_assert_int_eq(
		    owners[i].found, expected(&owners[i], channel));
}

static void
assert_count(void)
{
	bool used[PATTERNS] = {false};
	size_t count = 0;

	for (int i = 0; i < OWNERS * MEMBERS; i++) {
		int pattern = owners[i / MEMBERS].pattern[i % MEMBERS];

		if (pattern != -1 && !used[pattern]) {
			used[pattern] = true;
			count++;
		}
	}
	ck_assert_uint_eq(channels_count(channels), count);
}

START_TEST(an_index_finds_what_a_list_would)
{
	for (int i = 0; i < STEPS; i++) {
		struct owner *owner = &owners[sample_below(&state, OWNERS)];
		int member = (int)sample_below(&state, MEMBERS);
		/* By turns it fills and empties. */
		bool fills = i / 1000 % 2 == 0 || sample_below(&state, 4) == 0;

		if (owner->pattern[member] != -1)
			unsubscribe(owner, member);
		else if (fills)
			subscribe(
			    owner, member, (int)sample_below(&state, PATTERNS));
		assert_matches(asked[sample_below(&state, ASKED)]);
		if (i % 100 == 0)
			assert_count();
	}
}
END_TEST

START_TEST(a_subscription_tells_its_pattern)
{
	for (int i = 0; i < PATTERNS; i++)
		subscribe(&owners[i], 0, i);
	for (int i = 0; i < PATTERNS; i++)
		ck_assert(slice_is(
		    channels_pattern(&owners[i].members[0]), patterns[i]));
}
END_TEST

START_TEST(the_longest_channel_and_pattern_are_found)
{
	char text[EVENT_CHANNEL_MAX + 1];
	struct owner *owner = &owners[0];

	memset(text, 'x', sizeof(text));
	text[EVENT_CHANNEL_MAX - 1] = ':';
	text[EVENT_CHANNEL_MAX] = '*';
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
		    channels_subscribe(channels,
			slice_of(text, EVENT_CHANNEL_MAX + (size_t)i), owner,
			&owner->members[i]),
		    0);
	channels_match(channels, slice_of(text, EVENT_CHANNEL_MAX),
	    channels_hash(slice_of(text, EVENT_CHANNEL_MAX)), found, &state);
	ck_assert_int_eq(owner->found, 2);
}
END_TEST

START_TEST(ending_what_never_was_changes_nothing)
{
	subscribe(&owners[0], 0, 0);
	unsubscribe(&owners[1], 3);
	unsubscribe(&owners[0], 0);
	unsubscribe(&owners[0], 0);
	ck_assert_uint_eq(channels_count(channels), 0);
	channels_destroy(NULL);
}
END_TEST

START_TEST(a_pattern_that_was_left_by_all_is_not_the_same_again)
{
	struct channels_member ended;

	subscribe(&owners[0], 0, 0);
	subscribe(&owners[1], 0, 0);
	subscribe(&owners[2], 0, 1);
	ck_assert(channels_same(&owners[0].members[0], &owners[1].members[0]));
	ck_assert(!channels_same(&owners[0].members[0], &owners[2].members[0]));
	ended = owners[0].members[0];
	channels_unsubscribe(channels, &owners[0].members[0]);
	ck_assert(channels_same(&ended, &owners[1].members[0]));
	channels_unsubscribe(channels, &owners[1].members[0]);
	subscribe(&owners[3], 0, 0);
	/* Should it have got the same memory. */
	ended.node = owners[3].members[0].node;
	ck_assert(!channels_same(&ended, &owners[3].members[0]));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("channels");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_index_finds_what_a_list_would);
	tcase_add_test(tests, a_subscription_tells_its_pattern);
	tcase_add_test(tests, the_longest_channel_and_pattern_are_found);
	tcase_add_test(tests, ending_what_never_was_changes_nothing);
	tcase_add_test(
	    tests, a_pattern_that_was_left_by_all_is_not_the_same_again);
	return suite_run("channels", tests);
}
