/* asked: who answers which question of another worker. See asked.h. */
#include "broker/worker/asked.h"

#include <stdbool.h>
#include <stddef.h>

#include "broker/worker/answers/stats.h"
#include "broker/worker/answers/trace.h"
#include "broker/worker/stream/change.h"
#include "broker/worker/worker_state.h"
#include "protocol/buf.h"
#include "protocol/json.h"
#include "protocol/json_walk.h"

/* Each answers at once, with one JSON value, or appends nothing. */
static const struct {
	const char *ask;
	void (*answer)(
	    struct worker *worker, struct slice question, struct buf *answer);
} rows[] = {
    {"change", change_asked},
    {"stats", stats_asked},
    {"trace", trace_asked},
};

/* The member "ask"; len 0: it is missing. */
static struct slice
name_of(struct slice question)
{
	struct json_walk walk;
	struct slice name, value;

	if (!json_valid(question.bytes, question.len) ||
	    !json_walk_object(&walk, question))
		return slice_of(NULL, 0);
	while (json_walk_member(&walk, &name, &value)) {
		if (json_string_is(name, "ask"))
			return value;
	}
	return slice_of(NULL, 0);
}

void
asked_answer(struct worker *worker, struct slice question, struct buf *answer)
{
	struct slice name = name_of(question);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (json_string_is(name, rows[i].ask))
			rows[i].answer(worker, question, answer);
	}
}
