/* roster: streams by id. See roster.h. */
#include "broker/worker/roster.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
	WORKER_DIGITS = 2,
	SLOT_DIGITS = 4,
	RANDOM_DIGITS = ROSTER_ID_LEN - WORKER_DIGITS - SLOT_DIGITS,
	FIRST_SIZE = 64,
	SIZE_MAX_SLOTS = 1 << (6 * SLOT_DIGITS),
};

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789-_";

static void
write_number(char *text, int count, size_t number)
{
	for (int i = count - 1; i >= 0; i--, number >>= 6)
		text[i] = digits[number & 63];
}

/* SIZE_MAX when a character is no digit. */
static size_t
read_number(const char *text, int count)
{
	size_t number = 0;

	for (int i = 0; i < count; i++) {
		const char *digit =
		    text[i] == '\0' ? NULL : strchr(digits, text[i]);

		if (digit == NULL)
			return SIZE_MAX;
		number = number << 6 | (size_t)(digit - digits);
	}
	return number;
}

void
roster_finish(struct roster *roster)
{
	free(roster->streams);
	free(roster->free);
	*roster = (struct roster){.streams = NULL};
}

static int
grow(struct roster *roster)
{
	uint32_t size = roster->size > 0 ? roster->size * 2 : FIRST_SIZE;
	struct subscriber **streams;
	uint32_t *stack;

	if (roster->size == SIZE_MAX_SLOTS)
		return -1;
	streams = realloc(roster->streams, size * sizeof(streams[0]));
	if (streams == NULL)
		return -1;
	roster->streams = streams;
	stack = realloc(roster->free, size * sizeof(stack[0]));
	if (stack == NULL)
		return -1;
	roster->free = stack;
	for (uint32_t slot = size; slot-- > roster->size;) {
		streams[slot] = NULL;
		stack[roster->free_count++] = slot;
	}
	roster->size = size;
	return 0;
}

/* Random bytes for many ids at once: a call for each is a tenth of what a
 * stream costs at its start. */
static int
draw(struct roster *roster)
{
	size_t size = sizeof(roster->random);

	if (getrandom(roster->random, size, 0) != (ssize_t)size)
		return -1;
	roster->random_count = (uint32_t)size;
	return 0;
}

/* A byte that nobody has had, and nobody gets again. */
static uint8_t
take_random(struct roster *roster)
{
	uint8_t byte = roster->random[--roster->random_count];

	roster->random[roster->random_count] = 0;
	return byte;
}

int
roster_add(struct roster *roster, size_t worker, struct subscriber *subscriber,
    uint32_t *slot, char id[ROSTER_ID_SIZE])
{
	char *at = id + WORKER_DIGITS + SLOT_DIGITS;

	if (roster->random_count < RANDOM_DIGITS && draw(roster) == -1)
		return -1;
	if (roster->free_count == 0 && grow(roster) == -1)
		return -1;
	*slot = roster->free[--roster->free_count];
	roster->streams[*slot] = subscriber;
	write_number(id, WORKER_DIGITS, worker);
	write_number(id + WORKER_DIGITS, SLOT_DIGITS, *slot);
	for (int i = 0; i < RANDOM_DIGITS; i++)
		at[i] = digits[take_random(roster) & 63];
	id[ROSTER_ID_LEN] = '\0';
	return 0;
}

void
roster_remove(struct roster *roster, uint32_t slot)
{
	if (slot == ROSTER_NO_SLOT)
		return;
	roster->streams[slot] = NULL;
	roster->free[roster->free_count++] = slot;
}

size_t
roster_worker(struct slice id)
{
	if (id.len != ROSTER_ID_LEN)
		return SIZE_MAX;
	return read_number(id.bytes, WORKER_DIGITS);
}

struct subscriber *
roster_find(const struct roster *roster, struct slice id)
{
	size_t slot;

	if (id.len != ROSTER_ID_LEN)
		return NULL;
	slot = read_number(id.bytes + WORKER_DIGITS, SLOT_DIGITS);
	return slot < roster->size ? roster->streams[slot] : NULL;
}
