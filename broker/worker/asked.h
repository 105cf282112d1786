/*
 * asked: questions of other workers, and who answers them.
 *
 * A question is a JSON object with a member "ask"; the rows of asked.c say
 * which function answers which. It answers at once, with one JSON value.
 */
#ifndef SSEMUX_WORKER_ASKED_H
#define SSEMUX_WORKER_ASKED_H

#include "protocol/slice.h"

struct buf;
struct worker;

/* Appends the answer; nothing when the question is not known. */
void asked_answer(
    struct worker *worker, struct slice question, struct buf *answer);

#endif
