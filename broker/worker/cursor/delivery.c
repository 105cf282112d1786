/* delivery: the lists of one turn. See delivery.h. */
#include "broker/worker/cursor/delivery.h"

#include <assert.h>
#include <stdlib.h>

int
deliveries_init(struct deliveries *deliveries, size_t size)
{
	*deliveries = (struct deliveries){.size = size};
	deliveries->list = calloc(size, sizeof(struct delivery));
	deliveries->subscribers = calloc(size, sizeof(struct subscriber *));
	if (deliveries->list == NULL || deliveries->subscribers == NULL) {
		deliveries_finish(deliveries);
		return -1;
	}
	return 0;
}

void
deliveries_finish(struct deliveries *deliveries)
{
	free(deliveries->list);
	free(deliveries->subscribers);
	*deliveries = (struct deliveries){.count = 0};
}

void
deliveries_begin(struct deliveries *deliveries, uint64_t base)
{
	deliveries->count = deliveries->subscriber_count = 0;
	deliveries->base = base;
}

bool
deliveries_full(const struct deliveries *deliveries, size_t more)
{
	return deliveries->size - deliveries->count < more;
}

void
deliveries_add(struct deliveries *deliveries, struct subscriber *subscriber,
    uint32_t *first, uint32_t *last, uint64_t entry)
{
	uint32_t index = (uint32_t)deliveries->count++;

	assert(index < deliveries->size);
	assert(entry - deliveries->base < DELIVERY_NONE);
	deliveries->list[index] = (struct delivery){
	    .entry = (uint32_t)(entry - deliveries->base),
	    .next = DELIVERY_NONE,
	};
	if (*first == DELIVERY_NONE) {
		*first = index;
		deliveries->subscribers[deliveries->subscriber_count++] =
		    subscriber;
	} else {
		deliveries->list[*last].next = index;
	}
	*last = index;
}

uint64_t
deliveries_entry(const struct deliveries *deliveries, uint32_t index)
{
	return deliveries->base + deliveries->list[index].entry;
}
