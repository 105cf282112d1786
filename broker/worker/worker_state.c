/* worker_state: what every room of a worker asks for. See worker_state.h. */
#include "broker/worker/worker_state.h"

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

uint64_t
worker_now_s(const struct worker *worker)
{
	return (uint64_t)ev_now(worker->loop);
}

double
worker_clock_s(void)
{
	return ev_time();
}

/* xorshift64: good enough to spread clients in time. */
uint32_t
worker_retry_ms(struct worker *worker)
{
	uint64_t base = worker->config->http_retry;

	worker->random ^= worker->random << 13;
	worker->random ^= worker->random >> 7;
	worker->random ^= worker->random << 17;
	return (uint32_t)(base + worker->random % (base + 1));
}
