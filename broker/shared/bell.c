/* bell: wake-ups between processes. See bell.h. */
#include "broker/shared/bell.h"

#include <assert.h>
#include <sys/eventfd.h>
#include <unistd.h>

int
bell_create(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void
bell_ring(int bell)
{
	uint64_t one = 1;
	ssize_t written = write(bell, &one, sizeof(one));

	/* It can only fail when the counter is full: the bell rings then. */
	(void)written;
}

struct bell_sleepers
bell_find_sleepers(const struct board *board, size_t workers)
{
	struct bell_sleepers sleepers = {0, 0};

	assert(workers <= BELL_WORKERS_MAX);
	atomic_thread_fence(memory_order_seq_cst);
	for (size_t i = 0; i < workers; i++) {
		size_t page = BOARD_FIRST_WORKER + i;

		if (!board_sleeping(board, page))
			continue;
		if (board_get(board, page, METRIC_STREAMS) > 0)
			sleepers.serving |= UINT64_C(1) << i;
		else
			sleepers.idle |= UINT64_C(1) << i;
	}
	return sleepers;
}

void
bell_ring_workers(const int *bells, uint64_t workers)
{
	for (size_t i = 0; workers != 0; i++, workers >>= 1) {
		if ((workers & 1) != 0)
			bell_ring(bells[i]);
	}
}

void
bell_ring_sleepers(const struct board *board, const int *bells, size_t workers)
{
	struct bell_sleepers sleepers = bell_find_sleepers(board, workers);

	bell_ring_workers(bells, sleepers.serving | sleepers.idle);
}

void
bell_silence(int bell)
{
	uint64_t count;
	ssize_t got = read(bell, &count, sizeof(count));

	/* EAGAIN: it was silent. Nothing else can go wrong. */
	(void)got;
}

void
bell_sleep(struct board *board)
{
	atomic_store_explicit(&board->own->sleeping, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}

void
bell_wake(struct board *board)
{
	atomic_store_explicit(&board->own->sleeping, 0, memory_order_relaxed);
}
