/* pub results: a publisher whose results are written down, one line each. */
#ifndef SSEMUX_TESTS_PUB_RESULTS_H
#define SSEMUX_TESTS_PUB_RESULTS_H

#include <inttypes.h>

#include "tests/unit/fake_broker.h"

/* "acked 1 1001-0", "acked 2 1002-0 again", "refused 3 channel channel",
 * "lost 4 replaced", "receipt 5 1005-0 7"; the number is the ticket. */
static struct buf results;

static inline void
note_result(const struct ssemux_pub_result *result, void *context)
{
	static const char *const words[] = {
	    "acked", "refused", "lost", "receipt"};

	ck_assert_ptr_eq(context, &results);
	buf_printf(&results, "%s %d", words[result->outcome],
	    (int)(intptr_t)result->ticket);
	if (*result->cursor != '\0')
		buf_printf(&results, " %s", result->cursor);
	if (result->outcome == SSEMUX_PUB_RECEIPT)
		buf_printf(&results, " %" PRId64, result->notified);
	if (result->outcome == SSEMUX_PUB_RECEIPT && result->matched >= 0)
		buf_printf(&results,
		    " of %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
		    result->matched, result->lagging, result->filtered,
		    result->late);
	if (result->duplicate)
		buf_append_text(&results, " again");
	if (*result->code != '\0')
		buf_printf(&results, " %s", result->code);
	if (*result->field != '\0')
		buf_printf(&results, " %s", result->field);
	buf_append_char(&results, '\n');
}

/* What was written down since the last time is exactly this. */
static inline void
assert_results(const char *expected)
{
	buf_append_char(&results, '\0');
	ck_assert_str_eq(buf_bytes(&results), expected);
	buf_clear(&results);
}

static inline struct ssemux_pub_options
pub_options(const struct fake_broker *fake)
{
	return (struct ssemux_pub_options){
	    .size = sizeof(struct ssemux_pub_options),
	    .socket = fake->path,
	    .retry_min_ms = 1,
	    .retry_max_ms = 8,
	    .on_result = note_result,
	    .context = &results,
	};
}

static inline struct ssemux_pub_event
pub_event(int ticket, const char *data)
{
	return (struct ssemux_pub_event){
	    .size = sizeof(struct ssemux_pub_event),
	    .channel = "orders",
	    .data = data,
	    .data_bytes = strlen(data),
	    .ticket = (void *)(intptr_t)ticket,
	};
}

/* Publishes an event whose data is its ticket in decimal. */
static inline void
publish_number(struct ssemux_pub *pub, int ticket)
{
	char data[16];
	struct ssemux_pub_event event;

	snprintf(data, sizeof(data), "%d", ticket);
	event = pub_event(ticket, data);
	ck_assert_int_eq(ssemux_pub_publish(pub, &event), 0);
}

/* Works until count events have their result, or so much must not be. */
static inline void
work_until_unacked(struct fake_broker *fake, size_t count)
{
	int64_t deadline_ms = fake_now_ms() + FAKE_PATIENCE_MS;

	while (ssemux_pub_unacked(fake->pub) != count) {
		fake_wait(fake, -1, 1);
		ck_assert_int_lt(fake_now_ms(), deadline_ms);
	}
}

static inline void
work_until_state(struct fake_broker *fake, enum ssemux_pub_state state)
{
	int64_t deadline_ms = fake_now_ms() + FAKE_PATIENCE_MS;

	while (ssemux_pub_state(fake->pub) != state) {
		fake_wait(fake, -1, 1);
		ck_assert_int_lt(fake_now_ms(), deadline_ms);
	}
}

#endif
