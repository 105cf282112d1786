/* Tests of rules: who may publish what; and of credentials, on a socket. */
#include "broker/hub/rules.h"

#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/hub/credentials.h"
#include "broker/shared/config.h"
#include "tests/unit/suite.h"

static char orders[] = "orders", shops[] = "shop:*";
static char newses[] = "news:*", star[] = "*";
static char *shop[] = {orders, shops};
static char *news[] = {newses};
static char *all[] = {star};

static struct config_publisher blocks[] = {
    {.kind = CONFIG_PUBLISHER_USER, .id = 1000},
    {.kind = CONFIG_PUBLISHER_GROUP, .id = 50},
    {.kind = CONFIG_PUBLISHER_GROUP, .id = 60, .admin = true},
    {.kind = CONFIG_PUBLISHER_USER, .id = 2000},
};
static struct config config;

static void
give_channels(struct config_publisher *block, char **items, size_t count)
{
	memcpy(block->channels.items, items, count * sizeof(items[0]));
	block->channels.count = count;
}

static void
set_up(void)
{
	give_channels(&blocks[0], shop, 2);
	give_channels(&blocks[1], news, 1);
	give_channels(&blocks[3], all, 1);
	config = (struct config){.publishers = blocks, .publisher_count = 4};
}

/* What a peer with these groups may do, as "channels it may publish on of
 * those asked about, and a + for commands". */
static const char *
may(uid_t uid, gid_t gid, const gid_t *groups, size_t group_count)
{
	static const char *const channels[] = {
	    "orders", "shop:a", "shop", "news:a", "other"};
	static char text[64];
	gid_t copy[8];
	struct rules_peer peer = {
	    .uid = uid, .gid = gid, .groups = copy, .group_count = group_count};
	struct rules rules;

	if (group_count > 0)
		memcpy(copy, groups, group_count * sizeof(copy[0]));
	ck_assert_int_eq(rules_init(&rules, &config, &peer), 0);
	text[0] = '\0';
	for (size_t i = 0; i < 5; i++) {
		if (rules_allow_channel(&rules, slice_of_text(channels[i])))
			strcat(strcat(text, channels[i]), " ");
	}
	if (rules_allow_commands(&rules))
		strcat(text, "+");
	ck_assert_int_eq(rules_allow_resync(&rules, slice_of_text("other")),
	    rules_allow_commands(&rules) ||
		rules_allow_channel(&rules, slice_of_text("other")));
	rules_finish(&rules);
	return text;
}

#define EVERYTHING "orders shop:a shop news:a other +"

START_TEST(without_blocks_everybody_may_do_everything)
{
	config.publisher_count = 0;
	ck_assert_str_eq(may(1234, 1234, NULL, 0), EVERYTHING);
}
END_TEST

START_TEST(whom_no_block_names_may_do_nothing)
{
	ck_assert_str_eq(may(1234, 1234, NULL, 0), "");
	ck_assert_str_eq(may(50, 1000, NULL, 0), "");
}
END_TEST

START_TEST(root_may_do_everything)
{
	ck_assert_str_eq(may(0, 1234, NULL, 0), EVERYTHING);
}
END_TEST

START_TEST(a_user_may_publish_what_its_block_says)
{
	ck_assert_str_eq(may(1000, 1, NULL, 0), "orders shop:a ");
	ck_assert_str_eq(
	    may(2000, 1, NULL, 0), "orders shop:a shop news:a other ");
}
END_TEST

START_TEST(groups_count_the_first_and_the_others)
{
	const gid_t groups[] = {7, 50};

	ck_assert_str_eq(may(1, 50, NULL, 0), "news:a ");
	ck_assert_str_eq(may(1, 1, groups, 2), "news:a ");
	ck_assert_str_eq(may(1, 1, groups, 1), "");
}
END_TEST

START_TEST(what_blocks_allow_adds_up)
{
	const gid_t groups[] = {50, 60};

	ck_assert_str_eq(may(1000, 50, NULL, 0), "orders shop:a news:a ");
	ck_assert_str_eq(may(1000, 1, groups, 2), "orders shop:a news:a +");
}
END_TEST

START_TEST(an_administrator_may_publish_only_what_a_block_says)
{
	ck_assert_str_eq(may(1, 60, NULL, 0), "+");
}
END_TEST

START_TEST(a_worker_needs_no_rule)
{
	struct rules rules;

	rules_init_all(&rules);
	ck_assert(rules_allow_channel(&rules, slice_of_text("anything")));
	ck_assert(rules_allow_commands(&rules));
	rules_finish(&rules);
}
END_TEST

START_TEST(the_kernel_says_who_is_at_the_other_end)
{
	gid_t groups[64];
	int count = getgroups(64, groups);
	struct rules_peer peer;
	int fds[2];

	ck_assert_int_ge(count, 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(credentials_read(fds[0], &peer), 0);
	ck_assert_uint_eq(peer.uid, geteuid());
	ck_assert_uint_eq(peer.gid, getegid());
	ck_assert_uint_eq(peer.group_count, (size_t)count);
	for (int i = 0; i < count; i++)
		ck_assert_uint_eq(peer.groups[i], groups[i]);
	credentials_finish(&peer);
	close(fds[0]);
	close(fds[1]);
	ck_assert_int_eq(credentials_read(fds[0], &peer), -1);
	ck_assert_ptr_null(peer.groups);
}
END_TEST

/* Only root can have others; the scenario rules_test.py does it with real
 * processes. */
START_TEST(supplementary_groups_are_read_however_many)
{
	enum { MANY = 300 };
	gid_t groups[MANY];
	struct rules_peer peer;
	int fds[2];

	if (geteuid() != 0) {
		fprintf(stderr, "rules_test: NOT ROOT: the groups of this "
				"user alone are tested\n");
		return;
	}
	for (unsigned i = 0; i < MANY; i++)
		groups[i] = 5000 + i;
	ck_assert_int_eq(setgroups(MANY, groups), 0); /* of a child of Check */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(credentials_read(fds[0], &peer), 0);
	ck_assert_uint_eq(peer.group_count, MANY);
	ck_assert_uint_eq(peer.groups[MANY - 1], 5000 + MANY - 1);
	credentials_finish(&peer);
	ck_assert_int_eq(setgroups(0, NULL), 0);
	close(fds[0]);
	close(fds[1]);
	/* Those of the time of the connection count: none since then. */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_eq(setgroups(MANY, groups), 0);
	ck_assert_int_eq(credentials_read(fds[0], &peer), 0);
	ck_assert_uint_eq(peer.group_count, 0);
	credentials_finish(&peer);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("rules");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, without_blocks_everybody_may_do_everything);
	tcase_add_test(tests, whom_no_block_names_may_do_nothing);
	tcase_add_test(tests, root_may_do_everything);
	tcase_add_test(tests, a_user_may_publish_what_its_block_says);
	tcase_add_test(tests, groups_count_the_first_and_the_others);
	tcase_add_test(tests, what_blocks_allow_adds_up);
	tcase_add_test(
	    tests, an_administrator_may_publish_only_what_a_block_says);
	tcase_add_test(tests, a_worker_needs_no_rule);
	tcase_add_test(tests, the_kernel_says_who_is_at_the_other_end);
	tcase_add_test(tests, supplementary_groups_are_read_however_many);
	return suite_run("rules", tests);
}
