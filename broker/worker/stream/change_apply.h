/*
 * change_apply: a change of a live stream, in the worker that has it: a new
 * token, channels that are added or left. All of it, or nothing.
 */
#ifndef SSEMUX_WORKER_STREAM_CHANGE_APPLY_H
#define SSEMUX_WORKER_STREAM_CHANGE_APPLY_H

#include "broker/worker/http/problem.h"
#include "protocol/buf.h"
#include "protocol/slice.h"

struct worker;

/* What is asked for. */
struct change {
	struct slice path;  /* PATH/STREAM_ID */
	struct slice token; /* len 0: none was given */
	struct slice body;  /* a JSON object, or len 0 */
};

enum outcome_kind {
	OUTCOME_DONE,      /* body */
	OUTCOME_PROBLEM,   /* number: enum problem */
	OUTCOME_BAD_TOKEN, /* number: enum auth_verdict */
};

/* What came of it. */
struct outcome {
	enum outcome_kind kind;
	int number;
	struct buf body; /* JSON; the caller makes and finishes it */
};

void outcome_refuse(struct outcome *outcome, enum problem problem);

/* Does it, and tells the stream what it has got and lost. */
void change_apply(struct worker *worker, const struct change *change,
    struct outcome *outcome);

#endif
