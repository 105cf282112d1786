/*
 * run: what a stretch of the window comes to for all streams with the same
 * channels and the same form.
 *
 * When a crowd returns, its streams have the same events before them. The first
 * looks for its own among all; the others find what it found, and write the
 * same bytes. A run begins where the first who came stood, and goes on as far
 * as one write does; who stands somewhere in its midst has the rest of it.
 *
 * There are few runs, and they are made only for what was asked for twice of
 * late: streams with channels of their own do not push out those of a crowd.
 * Streams that do not take all events of their channels look for themselves.
 */
#ifndef SSEMUX_WORKER_CURSOR_RUN_H
#define SSEMUX_WORKER_CURSOR_RUN_H

#include <stdbool.h>
#include <stdint.h>

struct run;
struct subscriber;
struct worker;

enum {
	RUNS = 16,
	RUN_WISHES = 256,   /* of late, that are remembered */
	RUN_CHANNELS = 256, /* of a stream at most */
};

/* Of a worker. Zeroed, there are none. */
struct runs {
	struct run *list[RUNS];      /* NULL: not made yet */
	uint32_t wishes[RUN_WISHES]; /* what was asked for, as hashes */
	uint64_t turn;               /* counts uses */
	uint64_t shared;             /* uses of what another stream found */
};

void runs_finish(struct runs *runs);

/*
 * Fills worker->outgoing with what the subscriber, which stands behind `from`
 * in the window, wants of the entries from that number on, up to the cursor
 * `until`; of those that nobody has looked at it looks at `most`. *reached gets
 * how far that is. False: it is to look by itself.
 */
bool runs_take(struct worker *worker, const struct subscriber *subscriber,
    uint64_t number, uint64_t until, int most, uint64_t *reached);

#endif
