/* hub_state: what every room of the hub asks for. See hub_state.h. */
#include "broker/hub/hub_state.h"

#include <time.h>

static uint64_t
clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t
hub_now_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

uint64_t
hub_steady_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

void
hub_count(struct hub *hub, enum metric metric, uint64_t amount)
{
	board_add(&hub->heritage->board, metric, amount);
}
