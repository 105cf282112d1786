/* worker_state: what every room of a worker asks for. See worker_state.h. */
#include "broker/worker/worker_state.h"

#include <time.h>

void
worker_count(struct worker *worker, enum metric metric, uint64_t amount)
{
	board_add(worker->board, metric, amount);
}

uint64_t
worker_now_ms(const struct worker *worker)
{
	return (uint64_t)(ev_now(worker->loop) * 1000.);
}

/* Asked for with every write: the coarse clock is read without a call. */
uint64_t
worker_steady_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec;
}

uint64_t
worker_steady_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* xorshift64: good enough to spread clients in time. */
uint32_t
worker_retry_ms(struct worker *worker)
{
	const struct config *config = worker->config;

	worker->random ^= worker->random << 13;
	worker->random ^= worker->random >> 7;
	worker->random ^= worker->random << 17;
	return admission_retry_ms(config->http_retry,
	    admission_wait_ms(&worker->admission, worker_steady_us()),
	    config->http_retry_max, worker->random);
}
