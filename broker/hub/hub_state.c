/* hub_state: what every room of the hub asks for. See hub_state.h. */
#include "broker/hub/hub_state.h"

#include <time.h>

uint64_t
hub_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
hub_count(struct hub *hub, enum metric metric, uint64_t amount)
{
	board_add(&hub->heritage->board, metric, amount);
}
