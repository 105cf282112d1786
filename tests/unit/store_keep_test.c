/*
 * Tests of store_keep: channels with rules of their own, against a model that
 * keeps all events and works out anew what must be left of them.
 */
#include <sqlite3.h>

#include "broker/hub/retention.h"
#include "broker/hub/store_write.h"
#include "protocol/cursor_id.h"
#include "tests/unit/store_folder.h"
#include "tests/unit/suite.h"

enum { EVENTS_MAX = 4000, NAMES = 8, KEYS = 4, HOUR_MS = 3600000 };

static struct store_folder store;
static struct store_limits limits;
static struct config config;
static uint64_t now_ms;
static char path[64];

static const char *const names[NAMES] = {
    "a", "b", "none:1", "none:2", "last:1", "few:1", "young:1", "last:few:1"};

/* --- the model --- */

static struct {
	uint64_t cursor;
	int name;
	int key; /* KEYS: a resync; 0: none */
	size_t bytes;
	bool gone;
} events[EVENTS_MAX];
static size_t count;
static uint64_t horizons[NAMES];

static void
go(size_t i)
{
	events[i].gone = true;
	if (events[i].cursor > horizons[events[i].name])
		horizons[events[i].name] = events[i].cursor;
}

/* What is there of a channel (NAMES: of all that share the bounds). */
static void
sum(int name, uint64_t *left, uint64_t *bytes)
{
	*left = *bytes = 0;
	for (size_t i = 0; i < count; i++) {
		struct retention rules;
		bool own = retention_find(&rules, &config,
			       slice_of_text(names[events[i].name])) &&
			   rules.exempt;

		if (events[i].gone ||
		    (name == NAMES ? own : name != events[i].name))
			continue;
		*left += 1;
		*bytes += events[i].bytes;
	}
}

static void
model_supersede(void)
{
	for (size_t i = 0; i < count; i++) {
		struct retention rules;

		if (!retention_find(&rules, &config,
			slice_of_text(names[events[i].name])) ||
		    rules.keep != CONFIG_KEEP_LATEST)
			continue;
		for (size_t j = 0; j < i; j++)
			events[j].gone |= events[j].name == events[i].name &&
					  events[j].key == events[i].key;
	}
}

static void
model_own(size_t i)
{
	struct retention rules;
	uint64_t left, bytes;
	uint64_t ms = cursor_id_ms(events[i].cursor);

	if (!retention_find(
		&rules, &config, slice_of_text(names[events[i].name]))) {
		if (ms < now_ms && now_ms - ms > limits.max_age_ms)
			go(i);
		return;
	}
	sum(events[i].name, &left, &bytes);
	if (retention_over(&rules, ms, now_ms, left, bytes))
		go(i);
}

static void
model_shared(size_t i)
{
	struct retention rules;
	uint64_t left, bytes;

	if (retention_find(
		&rules, &config, slice_of_text(names[events[i].name])) &&
	    rules.exempt)
		return;
	sum(NAMES, &left, &bytes);
	if (left > limits.max_events || bytes > limits.max_bytes)
		go(i);
}

static void
model_trim(void)
{
	for (size_t i = 0; i < count; i++) {
		if (!events[i].gone)
			model_own(i);
	}
	for (size_t i = 0; i < count; i++) {
		if (!events[i].gone)
			model_shared(i);
	}
}

/* --- the store --- */

static void
configure(const char *text)
{
	char error[CONFIG_ERROR_SIZE];
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_msg(
	    config_load(&config, path, NULL, 0, error) == 0, "%s", error);
}

static void
keep(void)
{
	ck_assert_int_eq(store_keep_by(store.writer, &config), 0);
}

static void
put(int name, int key)
{
	static const char *const keys[KEYS + 1] = {"", "1", "two", "\n", ""};
	const struct event event = {
	    .cursor = cursor_id_make(now_ms, (uint32_t)count),
	    .channel = slice_of_text(names[name]),
	    .key = slice_of_text(keys[key]),
	    .kind = key == KEYS ? EVENT_RESYNC : EVENT_TEXT,
	    .data = slice_of("xxxxxxxxxxxxxxxx", count % 17),
	};

	ck_assert_uint_lt(count, EVENTS_MAX);
	if (store.publisher.id == 0)
		ck_assert_int_eq(store_make_publisher(store.writer,
				     slice_of_text("folder"), &store.publisher),
		    0);
	ck_assert_int_eq(
	    store_add_event(&store, &event, &store.publisher, ++store.seq), 0);
	events[count].cursor = event.cursor;
	events[count].name = name;
	events[count].key = key;
	events[count].gone = false;
	events[count++].bytes =
	    event.channel.len + event.key.len + event.data.len;
	model_supersede();
}

static void
put_alone(int name, int key)
{
	ck_assert_int_eq(store_begin(store.writer), 0);
	put(name, key);
	ck_assert_int_eq(store_commit(store.writer), 0);
}

/* Until nothing is left to do, which must come. */
static void
trim(int rows)
{
	bool more = true;

	for (int i = 0; more; i++) {
		ck_assert_int_lt(i, 5000);
		ck_assert_int_ge(
		    store_trim(store.writer, &limits, now_ms, rows, &more), 0);
	}
	model_trim();
}

/* Counts them, too. */
static void
assert_same_events(uint64_t *left, uint64_t *bytes)
{
	sqlite3 *db;
	sqlite3_stmt *rows;

	ck_assert_int_eq(sqlite3_open(store.path, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_prepare_v2(db, "SELECT cursor FROM event ORDER BY cursor",
		-1, &rows, NULL),
	    SQLITE_OK);
	for (size_t i = 0; i < count; i++) {
		if (events[i].gone)
			continue;
		ck_assert_int_eq(sqlite3_step(rows), SQLITE_ROW);
		ck_assert_msg(
		    (uint64_t)sqlite3_column_int64(rows, 0) == events[i].cursor,
		    "event %zu of %s, key %d, is gone, or one before is not", i,
		    names[events[i].name], events[i].key);
		*left += 1;
		*bytes += events[i].bytes;
	}
	ck_assert_int_eq(sqlite3_step(rows), SQLITE_DONE);
	ck_assert_int_eq(sqlite3_finalize(rows), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* The store must hold what the model has, each event and each number. */
static void
assert_as_model(void)
{
	const struct store_totals *totals = store_writer_totals(store.writer);
	uint64_t left = 0, bytes = 0, shared, shared_bytes;

	assert_same_events(&left, &bytes);
	ck_assert_uint_eq(totals->events, left);
	ck_assert_uint_eq(totals->bytes, bytes);
	sum(NAMES, &shared, &shared_bytes);
	ck_assert_uint_eq(totals->exempt_events, left - shared);
	ck_assert_uint_eq(totals->exempt_bytes, bytes - shared_bytes);
	for (int name = 0; name < NAMES; name++)
		ck_assert_uint_eq(store_query(&store,
				      "SELECT ifnull(max(horizon), 0) FROM"
				      " channel WHERE name = '%s'",
				      names[name]),
		    horizons[name]);
	/* One row of latest for each event there, and no other. */
	ck_assert_uint_eq(
	    store_query(&store, "SELECT count(*) FROM latest l WHERE NOT EXISTS"
				" (SELECT 1 FROM event e WHERE e.cursor ="
				" l.cursor AND e.channel = l.channel)"),
	    0);
	ck_assert_uint_eq(
	    store_query(&store,
		"SELECT count(*) FROM event e JOIN channel c"
		" ON c.id = e.channel WHERE c.name LIKE 'last:%%'"),
	    store_query(&store, "SELECT count(*) FROM latest"));
	ck_assert_uint_eq(
	    store_query(&store, "SELECT count(*) FROM kept k WHERE k.events <>"
				" (SELECT count(*) FROM event e WHERE"
				" e.channel = k.channel)"),
	    0);
}

static const char rules[] =
    "[history]\nmax_age = 1h\n"
    "[channel none:*]\nkeep = none\n[channel last:*]\nkeep = latest\n"
    "[channel few:*]\nmax_events = 5\n[channel young:*]\nmax_age = 10s\n"
    "[channel last:few:*]\nkeep = latest\nmax_events = 2\nmax_age = 2d\n";

static void
set_up(void)
{
	store_folder_make(&store);
	snprintf(path, sizeof(path), "%s/c", store.folder);
	limits = (struct store_limits){HOUR_MS, 60, UINT64_MAX, 100};
	now_ms = 1000000000;
	configure(rules);
	keep();
}

static void
tear_down(void)
{
	config_finish(&config);
	unlink(path);
	store_folder_remove(&store);
}

START_TEST(what_is_not_kept_goes_once_it_was_stored)
{
	put_alone(2, 1);
	put_alone(2, 1);
	ck_assert_uint_eq(store_query(&store, "SELECT count(*) FROM event"), 2);
	trim(100);
	assert_as_model();
	ck_assert_uint_eq(store_writer_totals(store.writer)->events, 0);
	ck_assert_uint_eq(horizons[2], events[1].cursor);
}
END_TEST

START_TEST(of_each_key_the_latest_is_kept)
{
	for (int i = 0; i < 100; i++)
		put_alone(4, i % (KEYS + 1));
	ck_assert_uint_eq(
	    store_query(&store, "SELECT count(*) FROM event"), KEYS + 1);
	trim(100);
	assert_as_model();
	/* To be superseded is no loss. */
	ck_assert_uint_eq(horizons[4], 0);
	ck_assert_uint_eq(store_writer_totals(store.writer)->losses, 0);
}
END_TEST

START_TEST(a_busy_channel_pushes_nothing_out_that_has_bounds_of_its_own)
{
	for (int i = 0; i < 5; i++)
		put_alone(5, 0);
	put_alone(1, 0);
	for (int i = 0; i < 200; i++)
		put_alone(0, 0);
	trim(7);
	assert_as_model();
	ck_assert_uint_eq(horizons[5], 0);
	ck_assert_uint_gt(horizons[1], 0);
	ck_assert_uint_eq(store_writer_totals(store.writer)->events, 65);
	/* A burst that is not kept at all pushes nothing out, either. */
	for (int i = 0; i < 200; i++)
		put_alone(3, 0);
	trim(7);
	ck_assert_uint_eq(store_writer_totals(store.writer)->events, 65);
	assert_as_model();
}
END_TEST

START_TEST(an_age_of_its_own_may_be_shorter_or_longer)
{
	for (int name = 0; name < NAMES; name++)
		put_alone(name, 0);
	now_ms += 10000;
	trim(100);
	ck_assert_uint_eq(horizons[6], 0);
	now_ms += 1;
	trim(100);
	ck_assert_uint_gt(horizons[6], 0);
	now_ms += HOUR_MS;
	trim(100);
	ck_assert_uint_gt(horizons[0], 0);
	ck_assert_uint_eq(horizons[7], 0);
	ck_assert_uint_eq(store_writer_totals(store.writer)->events, 1);
	now_ms += 48 * HOUR_MS;
	trim(100);
	assert_as_model();
	ck_assert_uint_eq(store_writer_totals(store.writer)->events, 0);
}
END_TEST

START_TEST(a_batch_that_fails_leaves_nothing)
{
	put_alone(4, 1);
	ck_assert_int_eq(store_begin(store.writer), 0);
	put(4, 1);
	put(5, 1);
	put(2, 1);
	store_rollback(store.writer);
	count = 1;
	events[0].gone = false;
	store.seq = 1;
	trim(100);
	assert_as_model();
	now_ms++;
	put_alone(4, 1);
	trim(100);
	assert_as_model();
}
END_TEST

static void
change_schema(const char *text)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(store.path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

START_TEST(what_could_not_go_goes_later)
{
	put_alone(2, 1);
	put_alone(6, 1);
	now_ms += 20000;
	change_schema("CREATE TRIGGER full BEFORE UPDATE ON state"
		      " BEGIN SELECT RAISE(ABORT, 'full'); END");
	for (int i = 0; i < 2; i++) {
		bool more;

		ck_assert_int_eq(
		    store_trim(store.writer, &limits, now_ms, 100, &more), -1);
		ck_assert_uint_eq(
		    store_query(&store, "SELECT count(*) FROM event"), 2);
	}
	change_schema("DROP TRIGGER full");
	trim(100);
	assert_as_model();
	ck_assert_uint_eq(store_writer_totals(store.writer)->events, 0);
}
END_TEST

static const char *const other_rules[] = {
    rules,
    "",
    "[channel last:*]\nkeep = none\n[channel a]\nmax_bytes = 1k\n",
    "[channel *]\nkeep = latest\n[channel b]\n[channel none:*]\nkeep = none\n",
    "[channel *]\nkeep = none\n[channel last:*]\nkeep = latest\n",
    "[channel *]\nmax_events = 3\n[channel last:1]\nkeep = latest\n",
};

/* No check of the rows of latest: which channels have some depends on the
 * rules. */
START_TEST(other_rules_hold_for_what_is_there)
{
	unsigned seed = (unsigned)_i + 1;

	for (int round = 0; round < 12; round++) {
		for (int i = 0; i < 40; i++) {
			put_alone((int)(rand_r(&seed) % NAMES),
			    (int)(rand_r(&seed) % (KEYS + 1)));
			now_ms += (uint64_t)(rand_r(&seed) % 500);
		}
		if (rand_r(&seed) % 2 == 0)
			trim(1 + (int)(rand_r(&seed) % 50));
		if (rand_r(&seed) % 3 == 0)
			now_ms += (uint64_t)(rand_r(&seed) % (2 * HOUR_MS));
		config_finish(&config);
		configure(
		    other_rules[rand_r(&seed) % (sizeof(other_rules) /
						    sizeof(other_rules[0]))]);
		store_folder_reopen(&store);
		keep();
		model_supersede();
		/* What is there is kept by the new rules from now on. */
	}
	config_finish(&config);
	configure(rules);
	store_folder_reopen(&store);
	keep();
	model_supersede();
	trim(9);
	assert_as_model();
}
END_TEST

START_TEST(whatever_comes_the_store_is_as_the_model)
{
	unsigned seed = 1000 + (unsigned)_i;

	for (int round = 0; round < 40; round++) {
		int batch = 1 + (int)(rand_r(&seed) % 30);

		ck_assert_int_eq(store_begin(store.writer), 0);
		while (batch-- > 0)
			put((int)(rand_r(&seed) % NAMES),
			    (int)(rand_r(&seed) % (KEYS + 1)));
		ck_assert_int_eq(store_commit(store.writer), 0);
		now_ms += (uint64_t)(rand_r(&seed) % 3000);
		if (rand_r(&seed) % 4 == 0)
			now_ms += (uint64_t)(rand_r(&seed) % HOUR_MS);
		if (rand_r(&seed) % 2 == 0)
			trim(1 + (int)(rand_r(&seed) % 40));
		if (rand_r(&seed) % 8 == 0) {
			store_folder_reopen(&store);
			keep();
		}
	}
	trim(100);
	assert_as_model();
}
END_TEST

START_TEST(an_old_store_gets_the_tables)
{
	sqlite3 *db;

	put_alone(0, 0);
	store_writer_close(store.writer);
	store.writer = NULL;
	ck_assert_int_eq(sqlite3_open(store.path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db,
			     "DROP TABLE kept; DROP TABLE latest;"
			     "DROP TABLE rules",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	store_folder_open(&store);
	keep();
	put_alone(4, 1);
	put_alone(4, 1);
	trim(100);
	assert_as_model();
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("store_keep");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_is_not_kept_goes_once_it_was_stored);
	tcase_add_test(tests, of_each_key_the_latest_is_kept);
	tcase_add_test(tests,
	    a_busy_channel_pushes_nothing_out_that_has_bounds_of_its_own);
	tcase_add_test(tests, an_age_of_its_own_may_be_shorter_or_longer);
	tcase_add_test(tests, a_batch_that_fails_leaves_nothing);
	tcase_add_test(tests, what_could_not_go_goes_later);
	tcase_add_loop_test(
	    tests, whatever_comes_the_store_is_as_the_model, 0, 6);
	tcase_add_loop_test(tests, other_rules_hold_for_what_is_there, 0, 6);
	tcase_add_test(tests, an_old_store_gets_the_tables);
	return suite_run("store_keep", tests);
}
