/* revoked_apply: from the store into the table and to streams. See
 * revoked_apply.h. */
#include "broker/worker/access/revoked_apply.h"

#include <sysexits.h>

#include "broker/shared/bell.h"
#include "broker/shared/log.h"
#include "broker/worker/access/revoked.h"
#include "broker/worker/access/withdraw.h"
#include "broker/worker/cursor/store_read.h"
#include "broker/worker/worker_state.h"

enum { ROWS_AT_ONCE = 256 };

/* To whom rows are given: the table alone, before there are streams. */
enum taking { TAKE_QUIETLY, TAKE_AND_TELL };

struct take {
	struct worker *worker;
	enum taking taking;
};

static void
tell_streams(struct worker *worker, const struct store_revoked *row)
{
	size_t own = BOARD_FIRST_WORKER + worker->heritage->worker;
	uint64_t before = board_get(worker->board, own, METRIC_STREAMS_REVOKED);

	withdraw_revoked(worker, row->user, row->pattern, row->at_ms);
	board_withdraw(worker->board, row->number,
	    board_get(worker->board, own, METRIC_STREAMS_REVOKED) - before);
}

static void
take_row(const struct store_revoked *row, void *context)
{
	struct take *take = context;
	struct worker *worker = take->worker;

	worker->revoked_number = row->number;
	if (row->restores) {
		revoked_restore(worker->revoked, row->user, row->pattern);
		return;
	}
	if (revoked_add(worker->revoked, row->user, row->pattern, row->at_ms) ==
	    -1)
		log_fatal(EX_OSERR, "no memory for what is revoked");
	if (take->taking == TAKE_AND_TELL)
		tell_streams(worker, row);
}

/* Reads on. 1 when there may be more, 0, or -1 (logged). */
static int
take_rows(struct worker *worker, enum taking taking)
{
	struct take take = {worker, taking};
	int rows = store_read_revocations(worker->store, worker->revoked_number,
	    ROWS_AT_ONCE, take_row, &take);

	return rows == -1 ? -1 : rows == ROWS_AT_ONCE;
}

int
revoked_apply_start(struct worker *worker)
{
	uint64_t newest = board_newest_revocation(worker->board);
	int more = 1;

	worker->revoked = revoked_create();
	if (worker->revoked == NULL) {
		log_warn("no memory for what is revoked");
		return -1;
	}
	while (more == 1)
		more = take_rows(worker, TAKE_QUIETLY);
	/* The newest may have been forgotten, and is no row any more. */
	if (worker->revoked_number < newest)
		worker->revoked_number = newest;
	board_set_revocation(worker->board, worker->revoked_number);
	return more;
}

void
revoked_apply_finish(struct worker *worker)
{
	revoked_destroy(worker->revoked);
}

bool
revoked_apply_due(const struct worker *worker)
{
	return board_newest_revocation(worker->board) > worker->revoked_number;
}

void
revoked_apply(struct worker *worker)
{
	uint64_t newest = board_newest_revocation(worker->board);
	int more = 1;

	if (newest <= worker->revoked_number)
		return;
	while (more == 1)
		more = take_rows(worker, TAKE_AND_TELL);
	if (more == -1)
		log_fatal(EX_IOERR, "the store cannot be read");
	if (worker->revoked_number < newest)
		worker->revoked_number = newest;
	board_set_revocation(worker->board, worker->revoked_number);
	bell_ring(worker->heritage->hub_bell);
}

void
revoked_apply_tick(struct worker *worker)
{
	uint64_t now_ms = worker_now_ms(worker);
	uint64_t age_ms = worker->config->auth_revocations_max_age;

	if (now_ms > age_ms)
		revoked_forget(worker->revoked, now_ms - age_ms);
}
