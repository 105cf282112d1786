/*
 * courier_asks: questions to other workers, and theirs to this one. See
 * courier.h.
 *
 * Nobody is told an answer before courier_ask() has returned: asks_settle() is
 * called by the loop alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "broker/worker/asked.h"
#include "broker/worker/courier/courier_state.h"
#include "broker/worker/worker_state.h"

enum {
	ASKS_MAX = 1024,           /* open at once */
	ASKS_BYTES_MAX = 16 << 20, /* of questions that are not sent yet */
};

static void
ask_destroy(struct ask *ask)
{
	for (size_t i = 0; i < ask->count; i++)
		buf_finish(&ask->answers[i].text);
	buf_finish(&ask->text);
	free(ask);
}

/* Takes it out of the list. */
static void
unlink_ask(struct courier *courier, struct ask *ask)
{
	struct ask **at = &courier->asks;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	courier->ask_count--;
	courier->ask_bytes -= buf_length(&ask->text);
}

static void
tell(struct courier *courier, struct ask *ask)
{
	struct slice *answers = calloc(ask->count, sizeof(answers[0]));
	struct slice none = {NULL, 0};

	unlink_ask(courier, ask);
	for (size_t i = 0; answers != NULL && i < ask->count; i++)
		answers[i] = slice_of(buf_bytes(&ask->answers[i].text),
		    buf_length(&ask->answers[i].text));
	if (answers != NULL)
		ask->answered(answers, ask->count, ask->context);
	else
		ask->answered(&none, 1, ask->context);
	free(answers);
	ask_destroy(ask);
}

/* The first that is to be told of; NULL: none. */
static struct ask *
find_settled(const struct courier *courier, uint64_t now_ms)
{
	struct ask *ask = courier->asks;

	while (ask != NULL && ask->open > 0 && ask->deadline_ms > now_ms)
		ask = ask->next;
	return ask;
}

/* Whoever is told may ask anew, and so the list is looked at anew. */
void
asks_settle(struct courier *courier)
{
	uint64_t now_ms = courier_steady_ms();
	uint64_t next_ms = UINT64_MAX;
	struct ask *ask;

	while ((ask = find_settled(courier, now_ms)) != NULL)
		tell(courier, ask);
	for (ask = courier->asks; ask != NULL; ask = ask->next) {
		if (ask->deadline_ms < next_ms)
			next_ms = ask->deadline_ms;
	}
	ev_timer_stop(courier->worker->loop, &courier->ask_due);
	if (next_ms == UINT64_MAX)
		return;
	ev_timer_set(
	    &courier->ask_due, (double)(next_ms - now_ms + 1) / 1000., 0.);
	ev_timer_start(courier->worker->loop, &courier->ask_due);
}

static void
on_due(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)loop;
	(void)events;
	asks_settle(watcher->data);
}

int
asks_start(struct courier *courier)
{
	/* An answer to an earlier process of this place fits none of ours. */
	if (getrandom(&courier->last_ask, sizeof(courier->last_ask), 0) !=
	    sizeof(courier->last_ask))
		return -1;
	courier->last_ask >>= 2;
	ev_timer_init(&courier->ask_due, on_due, 0., 0.);
	courier->ask_due.data = courier;
	return 0;
}

void
asks_finish(struct courier *courier)
{
	struct ask *next;

	for (struct ask *ask = courier->asks; ask != NULL; ask = next) {
		next = ask->next;
		ask_destroy(ask);
	}
	ev_timer_stop(courier->worker->loop, &courier->ask_due);
}

/* --- asking --- */

/* Opens one answer; that of this worker is there at once. */
static void
open_answer(
    struct worker *worker, struct ask *ask, size_t whom, struct slice question)
{
	size_t index = whom - ask->first;

	buf_init(&ask->answers[index].text, MESSAGE_TALK_MAX);
	if (whom == worker->heritage->worker) {
		asked_answer(worker, question, &ask->answers[index].text);
	} else if (whom < worker->heritage->workers) {
		ask->answers[index].open = true;
		ask->open++;
	}
}

static struct ask *
ask_create(struct worker *worker, const struct courier_question *question)
{
	bool all = question->worker == COURIER_ALL;
	size_t count = all ? worker->heritage->workers : 1;
	struct ask *ask =
	    calloc(1, sizeof(*ask) + count * sizeof(ask->answers[0]));

	if (ask == NULL)
		return NULL;
	ask->deadline_ms = courier_steady_ms() + question->timeout_ms;
	ask->peer = all ? MESSAGE_PEER_ALL : (uint32_t)question->worker;
	ask->answered = question->answered;
	ask->context = question->context;
	ask->first = all ? 0 : question->worker;
	ask->count = count;
	for (size_t i = 0; i < count; i++)
		open_answer(worker, ask, ask->first + i, question->json);
	buf_init(&ask->text, 0);
	if (ask->open > 0)
		buf_append(
		    &ask->text, question->json.bytes, question->json.len);
	if (!buf_failed(&ask->text))
		return ask;
	ask_destroy(ask);
	return NULL;
}

struct ask *
courier_ask(struct worker *worker, const struct courier_question *question)
{
	struct courier *courier = worker->courier;
	struct ask *ask;

	if (courier->ask_count == ASKS_MAX ||
	    question->json.len > MESSAGE_TALK_MAX ||
	    courier->ask_bytes + question->json.len > ASKS_BYTES_MAX) {
		errno = EAGAIN;
		return NULL;
	}
	ask = ask_create(worker, question);
	if (ask == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	ask->id = ++courier->last_ask;
	ask->next = courier->asks;
	courier->asks = ask;
	courier->ask_count++;
	courier->ask_bytes += buf_length(&ask->text);
	/* The loop looks at what is settled already, and when it is due. */
	ev_feed_event(worker->loop, &courier->ask_due, EV_CUSTOM);
	return ask;
}

void
courier_stop_asking(struct worker *worker, struct ask *ask)
{
	unlink_ask(worker->courier, ask);
	ask_destroy(ask);
}

void
asks_fill(struct courier *courier)
{
	for (struct ask *ask = courier->asks; ask != NULL; ask = ask->next) {
		if (ask->sent || ask->open == 0 ||
		    buf_length(&courier->out) >= COURIER_OUT_AHEAD)
			continue;
		message_write(
		    &courier->out, &(struct message){
				       .type = MESSAGE_ASK,
				       .id = ask->id,
				       .peer = ask->peer,
				       .text = slice_of(buf_bytes(&ask->text),
					   buf_length(&ask->text)),
				   });
		ask->sent = true;
		courier->ask_bytes -= buf_length(&ask->text);
		buf_finish(&ask->text);
	}
}

/* --- what came --- */

static void
close_answer(struct ask *ask, size_t worker, struct slice text)
{
	size_t index = worker - ask->first;

	if (worker < ask->first || index >= ask->count ||
	    !ask->answers[index].open)
		return;
	buf_append(&ask->answers[index].text, text.bytes, text.len);
	ask->answers[index].open = false;
	ask->open--;
}

void
asks_lose(struct courier *courier)
{
	for (struct ask *ask = courier->asks; ask != NULL; ask = ask->next) {
		for (size_t i = 0; ask->sent && i < ask->count; i++)
			close_answer(ask, ask->first + i, slice_of(NULL, 0));
	}
	asks_settle(courier);
}

void
asks_take_answer(struct courier *courier, const struct message *message)
{
	for (struct ask *ask = courier->asks; ask != NULL; ask = ask->next) {
		/* 0: that worker has gone, and answers nothing any more. */
		if (ask->sent && (message->id == 0 || message->id == ask->id))
			close_answer(ask, message->peer, message->text);
	}
	asks_settle(courier);
}

void
asks_take_ask(struct courier *courier, const struct message *message)
{
	struct buf answer;

	buf_init(&answer, MESSAGE_TALK_MAX);
	asked_answer(courier->worker, message->text, &answer);
	if (buf_failed(&answer))
		buf_clear(&answer);
	message_write(&courier->out,
	    &(struct message){
		.type = MESSAGE_ANSWER,
		.id = message->id,
		.peer = message->peer,
		.text = slice_of(buf_bytes(&answer), buf_length(&answer)),
	    });
	buf_finish(&answer);
}
