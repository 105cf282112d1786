/* wheel: what is due when, in ticks. See wheel.h. */
#include "broker/worker/wheel.h"

#include <stddef.h>

static void
list_init(struct wheel_node *head)
{
	head->previous = head->next = head;
}

static void
list_append(struct wheel_node *head, struct wheel_node *node)
{
	node->previous = head->previous;
	node->next = head;
	head->previous->next = node;
	head->previous = node;
}

/* Moves all nodes of one list to the end of another. */
static void
list_move(struct wheel_node *to, struct wheel_node *from)
{
	if (from->next == from)
		return;
	from->next->previous = to->previous;
	to->previous->next = from->next;
	from->previous->next = to;
	to->previous = from->previous;
	list_init(from);
}

void
wheel_init(struct wheel *wheel, uint64_t now)
{
	for (int i = 0; i < WHEEL_SLOTS; i++)
		list_init(&wheel->slots[i]);
	wheel->now = now;
}

void
wheel_node_init(struct wheel_node *node)
{
	node->previous = node->next = NULL;
}

void
wheel_remove(struct wheel_node *node)
{
	if (node->previous == NULL)
		return;
	node->previous->next = node->next;
	node->next->previous = node->previous;
	wheel_node_init(node);
}

void
wheel_set(struct wheel *wheel, struct wheel_node *node, uint32_t due_in)
{
	if (due_in < 1)
		due_in = 1;
	else if (due_in > WHEEL_SLOTS - 1)
		due_in = WHEEL_SLOTS - 1;
	wheel_remove(node);
	list_append(&wheel->slots[(wheel->now + due_in) % WHEEL_SLOTS], node);
}

uint32_t
wheel_next(const struct wheel *wheel)
{
	for (uint32_t i = 1; i < WHEEL_SLOTS; i++) {
		const struct wheel_node *slot =
		    &wheel->slots[(wheel->now + i) % WHEEL_SLOTS];

		if (slot->next != slot)
			return i;
	}
	return 0;
}

/*
 * Everything due is first taken over into a list of its own: what due() sets
 * anew may land in a slot that is being turned over, and is not due yet.
 */
void
wheel_turn(struct wheel *wheel, uint64_t now,
    void (*due)(struct wheel_node *node, void *context), void *context)
{
	struct wheel_node expired;
	uint64_t ticks;

	if (now <= wheel->now)
		return;
	list_init(&expired);
	ticks = now - wheel->now;
	if (ticks > WHEEL_SLOTS)
		ticks = WHEEL_SLOTS;
	for (uint64_t i = 1; i <= ticks; i++)
		list_move(
		    &expired, &wheel->slots[(wheel->now + i) % WHEEL_SLOTS]);
	wheel->now = now;
	while (expired.next != &expired) {
		struct wheel_node *node = expired.next;

		wheel_remove(node);
		due(node, context);
	}
}
