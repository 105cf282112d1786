/* Tests of batch: one transaction for all of a turn, or nothing of it.
 * Publishers are played by the test. */
#include "broker/hub/batch.h"

#include <sqlite3.h>

#include "broker/hub/publisher.h"
#include "broker/shared/record.h"
#include "protocol/cursor_id.h"
#include "tests/unit/sample_event.h"
#include "tests/unit/store_folder.h"
#include "tests/unit/suite.h"

enum { SIZE = 64, NOW_MS = 5000 };

struct publisher {
	struct identity identity;
};

static struct publisher publishers[2];
static struct store_folder store;
static struct batch batch;
static struct sample_event sample;

struct identity *
publisher_identity(struct publisher *publisher)
{
	return &publisher->identity;
}

static void
begin(struct publisher *publisher, const char *name)
{
	identity_begin(&publisher->identity, slice_of_text(name),
	    &(struct store_publisher){.id = 0});
}

static void
set_up(void)
{
	begin(&publishers[0], "zero");
	begin(&publishers[1], "one");
	store_folder_make(&store);
	ck_assert_int_eq(batch_init(&batch, SIZE), 0);
}

static void
tear_down(void)
{
	batch_finish(&batch);
	store_folder_remove(&store);
}

static void
add(size_t publisher, uint64_t seq, enum batch_receipt receipt)
{
	ck_assert(!batch_full(&batch, SIZE_MAX));
	ck_assert_int_eq(batch_add_event(&batch, &publishers[publisher], seq,
			     sample_make(&sample, seq, (size_t)seq), receipt),
	    0);
}

static void
add_other(enum batch_entry_kind kind, size_t publisher, uint64_t seq)
{
	batch_add(&batch, &(struct batch_entry){
			      .kind = kind,
			      .publisher = &publishers[publisher],
			      .seq = seq,
			  });
}

static uint64_t
stored(void)
{
	return store_writer_totals(store.writer)->events;
}

static uint64_t
cursor_of(size_t publisher, uint64_t seq)
{
	uint64_t cursor = 0;

	ck_assert_int_ge(
	    store_find_cursor(store.writer,
		&publishers[publisher].identity.known, seq, &cursor),
	    0);
	return cursor;
}

START_TEST(events_get_rising_cursors_and_are_stored_under_them)
{
	uint64_t last = 0;

	for (uint64_t i = 1; i <= SIZE; i++)
		add(i % 2, i, BATCH_NO_RECEIPT);
	ck_assert_int_eq(batch_store(&batch, store.writer, 0, NOW_MS), 0);
	ck_assert_uint_eq(stored(), SIZE);
	for (size_t i = 0; i < batch.count; i++) {
		const struct batch_entry *entry = &batch.entries[i];

		ck_assert_uint_gt(entry->cursor, last);
		last = entry->cursor;
		ck_assert_uint_eq(cursor_id_ms(last), NOW_MS);
		ck_assert_uint_eq(batch_record(&batch, entry)->cursor, last);
		ck_assert_uint_eq(cursor_of(entry->seq % 2, entry->seq), last);
	}
}
END_TEST

START_TEST(cursors_go_on_above_the_last_when_the_clock_was_set_back)
{
	uint64_t last = cursor_id_make(NOW_MS + 100, 7);

	add(0, 1, BATCH_NO_RECEIPT);
	ck_assert_int_eq(batch_store(&batch, store.writer, last, NOW_MS), 0);
	ck_assert_uint_eq(batch.entries[0].cursor, last + 1);
}
END_TEST

START_TEST(records_are_copies_that_stay_whole_while_the_batch_grows)
{
	for (uint64_t i = 1; i <= SIZE; i++)
		add(0, i, BATCH_NO_RECEIPT);
	for (size_t i = 0; i < batch.count; i++) {
		struct event event =
		    record_event(batch_record(&batch, &batch.entries[i]));

		/* The sample's cursor is its number, until it is stored. */
		ck_assert_uint_eq(event.cursor, i + 1);
		ck_assert(sample_intact(&event));
	}
}
END_TEST

START_TEST(it_is_full_by_entries_and_by_bytes)
{
	ck_assert(!batch_full(&batch, 1000));
	add(0, 1, BATCH_NO_RECEIPT);
	ck_assert(batch_full(&batch, 1));
	ck_assert(!batch_full(&batch, 1000));
	for (uint64_t i = 2; i <= SIZE; i++)
		add_other(BATCH_REFUSAL, 0, i);
	ck_assert(batch_full(&batch, SIZE_MAX));
	batch_clear(&batch);
	ck_assert(!batch_full(&batch, 1));
	ck_assert_uint_eq(batch.count, 0);
	ck_assert_uint_eq(batch.events, 0);
}
END_TEST

START_TEST(answers_without_an_event_need_no_transaction)
{
	add_other(BATCH_DUPLICATE, 0, 1);
	add_other(BATCH_REFUSAL, 1, 2);
	ck_assert_int_eq(store_begin(store.writer), 0); /* none could begin */
	ck_assert_int_eq(batch_store(&batch, store.writer, 0, NOW_MS), 0);
	ck_assert_int_eq(store_commit(store.writer), 0);
	ck_assert_uint_eq(stored(), 0);
}
END_TEST

START_TEST(it_counts_events_and_wanted_receipts)
{
	add(0, 1, BATCH_RECEIPT);
	add(0, 2, BATCH_NO_RECEIPT);
	add_other(BATCH_DUPLICATE, 0, 3);
	add(1, 4, BATCH_RECEIPT);
	ck_assert_uint_eq(batch.events, 3);
	ck_assert_uint_eq(batch.receipts, 2);
	batch_clear(&batch);
	ck_assert_uint_eq(batch.receipts, 0);
}
END_TEST

START_TEST(a_farewell_forgets_what_came_before_it)
{
	add(0, 1, BATCH_NO_RECEIPT);
	add(1, 2, BATCH_NO_RECEIPT);
	add_other(BATCH_FAREWELL, 0, 0);
	add(1, 3, BATCH_NO_RECEIPT);
	ck_assert_int_eq(batch_store(&batch, store.writer, 0, NOW_MS), 0);
	ck_assert_uint_eq(stored(), 3);
	ck_assert_uint_eq(cursor_of(0, 1), 0);
	ck_assert_uint_ne(cursor_of(1, 2), 0);
	ck_assert_uint_ne(cursor_of(1, 3), 0);
	batch_clear(&batch);
	publishers[0].identity.known.id = 0;
	add_other(BATCH_FAREWELL, 0, 0); /* it never sent anything */
	ck_assert_int_eq(batch_store(&batch, store.writer, 0, NOW_MS), 0);
}
END_TEST

START_TEST(when_one_event_cannot_be_stored_none_is)
{
	sqlite3 *db;
	uint64_t last;

	add(0, 1, BATCH_NO_RECEIPT);
	ck_assert_int_eq(batch_store(&batch, store.writer, 0, NOW_MS), 0);
	last = batch.entries[0].cursor;
	batch_clear(&batch);
	/* A row that the third one of the batch meets. */
	ck_assert_int_eq(sqlite3_open(store.path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db,
			     "CREATE TRIGGER full BEFORE INSERT ON event"
			     " WHEN length(new.data) = 4"
			     " BEGIN SELECT RAISE(ABORT, 'full'); END",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	for (uint64_t i = 2; i <= 6; i++)
		add(1, i, BATCH_NO_RECEIPT);
	ck_assert_int_eq(batch_store(&batch, store.writer, last, NOW_MS), -1);
	ck_assert_uint_eq(stored(), 1);
	batch_clear(&batch);
	ck_assert_int_eq(
	    sqlite3_exec(db, "DROP TRIGGER full", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	/* The publisher, which was ended, comes back and sends all again. */
	publishers[1].identity.known.id = 0;
	for (uint64_t i = 2; i <= 6; i++)
		add(1, i, BATCH_NO_RECEIPT);
	ck_assert_int_eq(batch_store(&batch, store.writer, last, NOW_MS), 0);
	ck_assert_uint_eq(stored(), 6);
	ck_assert_uint_eq(cursor_of(1, 6), batch.entries[4].cursor);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("batch");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(
	    tests, events_get_rising_cursors_and_are_stored_under_them);
	tcase_add_test(
	    tests, cursors_go_on_above_the_last_when_the_clock_was_set_back);
	tcase_add_test(
	    tests, records_are_copies_that_stay_whole_while_the_batch_grows);
	tcase_add_test(tests, it_is_full_by_entries_and_by_bytes);
	tcase_add_test(tests, answers_without_an_event_need_no_transaction);
	tcase_add_test(tests, it_counts_events_and_wanted_receipts);
	tcase_add_test(tests, a_farewell_forgets_what_came_before_it);
	tcase_add_test(tests, when_one_event_cannot_be_stored_none_is);
	return suite_run("batch", tests);
}
