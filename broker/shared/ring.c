/* ring: one writer, many readers, no lock. See ring.h. */
#include "broker/shared/ring.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	RING_MAGIC = 0x73736d78, /* "ssmx" */
	RING_LAYOUT = 1,
	RING_HEADER_BYTES = 4096,
	/* A record of no event: the rest of the memory up to its end. */
	RING_PADDING = 0xFF,
};

struct ring_header {
	uint32_t magic;
	uint32_t layout;
	uint64_t size;
	/* What the writer changes with every batch, on a line of its own. */
	_Alignas(64) _Atomic uint64_t head;
	_Atomic uint64_t last_cursor; /* of the newest record before head */
	_Alignas(64) _Atomic uint64_t tail;
	_Atomic uint64_t floor_cursor; /* of the newest record before tail */
	/* The writer's own: where it writes, at or after head. */
	_Alignas(64) uint64_t write_at;
	uint64_t write_cursor;
};

_Static_assert(sizeof(struct ring_header) <= RING_HEADER_BYTES, "one page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared between processes");

static size_t
round_up_to_power(size_t size)
{
	size_t power = 65536;

	while (power < size)
		power *= 2;
	return power;
}

static int
ring_map(struct ring *ring, int fd, size_t size, int protection)
{
	char *memory =
	    mmap(NULL, RING_HEADER_BYTES + size, protection, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -1;
	ring->header = (struct ring_header *)(void *)memory;
	ring->data = memory + RING_HEADER_BYTES;
	ring->size = size;
	return 0;
}

int
ring_create(struct ring *ring, size_t size, int *fd)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;

	size = round_up_to_power(size);
	*fd = memfd_create("ssemux-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd == -1)
		return -1;
	if (ftruncate(*fd, (off_t)(RING_HEADER_BYTES + size)) == -1 ||
	    ring_map(ring, *fd, size, PROT_READ | PROT_WRITE) == -1 ||
	    fcntl(*fd, F_ADD_SEALS, seals) == -1) {
		close(*fd);
		return -1;
	}
	ring->header->magic = RING_MAGIC;
	ring->header->layout = RING_LAYOUT;
	ring->header->size = size;
	return 0;
}

int
ring_map_reader(struct ring *ring, int fd)
{
	uint64_t size;

	if (ring_map(ring, fd, 0, PROT_READ) == -1)
		return -1;
	size = ring->header->size;
	if (ring->header->magic != RING_MAGIC ||
	    ring->header->layout != RING_LAYOUT) {
		ring_unmap(ring);
		errno = EPROTO;
		return -1;
	}
	ring_unmap(ring);
	return ring_map(ring, fd, size, PROT_READ);
}

void
ring_unmap(struct ring *ring)
{
	if (ring->header != NULL)
		munmap(ring->header, RING_HEADER_BYTES + ring->size);
	*ring = (struct ring){.header = NULL};
}

static struct record *
ring_at(const struct ring *ring, uint64_t position)
{
	char *place = ring->data + (position & (ring->size - 1));

	return (struct record *)(void *)place;
}

uint64_t
ring_last_cursor(const struct ring *ring)
{
	return atomic_load_explicit(
	    &ring->header->last_cursor, memory_order_acquire);
}

void
ring_take_over(struct ring *ring)
{
	struct ring_header *header = ring->header;
	uint64_t head =
	    atomic_load_explicit(&header->head, memory_order_relaxed);
	uint64_t tail =
	    atomic_load_explicit(&header->tail, memory_order_relaxed);

	if (tail > head) {
		/* It died in ring_skip_to(), which is finished here. */
		head = tail;
		atomic_store_explicit(
		    &header->head, head, memory_order_release);
		atomic_store_explicit(&header->last_cursor,
		    atomic_load_explicit(
			&header->floor_cursor, memory_order_relaxed),
		    memory_order_release);
	}
	header->write_at = head;
	header->write_cursor =
	    atomic_load_explicit(&header->last_cursor, memory_order_relaxed);
}

void
ring_skip_to(struct ring *ring, uint64_t cursor)
{
	struct ring_header *header = ring->header;
	/* A round further, where no reader can stand: all are lapped. */
	uint64_t position = header->write_at + ring->size;

	header->write_at = position;
	header->write_cursor = cursor;
	atomic_store_explicit(
	    &header->floor_cursor, cursor, memory_order_relaxed);
	atomic_store_explicit(&header->tail, position, memory_order_release);
	atomic_store_explicit(&header->head, position, memory_order_release);
	atomic_store_explicit(
	    &header->last_cursor, cursor, memory_order_release);
}

/* Lets go of the oldest records until `end` may be written up to. */
static void
ring_make_room(struct ring *ring, uint64_t end)
{
	struct ring_header *header = ring->header;
	uint64_t tail =
	    atomic_load_explicit(&header->tail, memory_order_relaxed);
	uint64_t floor =
	    atomic_load_explicit(&header->floor_cursor, memory_order_relaxed);

	if (end - tail <= ring->size)
		return;
	while (end - tail > ring->size) {
		const struct record *oldest = ring_at(ring, tail);

		if (oldest->kind != RING_PADDING)
			floor = oldest->cursor;
		tail += oldest->size;
	}
	atomic_store_explicit(
	    &header->floor_cursor, floor, memory_order_relaxed);
	/* Who sees this tail sees this floor, or a newer one. */
	atomic_store_explicit(&header->tail, tail, memory_order_release);
	/* Nothing is overwritten before the new tail can be seen. */
	atomic_thread_fence(memory_order_seq_cst);
}

/* Fills up to the end of the memory, so that a record lies in one piece. */
static void
ring_pad(struct ring *ring, uint64_t bytes)
{
	struct ring_header *header = ring->header;

	ring_make_room(ring, header->write_at + bytes);
	*ring_at(ring, header->write_at) =
	    (struct record){.size = (uint32_t)bytes, .kind = RING_PADDING};
	header->write_at += bytes;
}

size_t
ring_record_max(const struct ring *ring)
{
	return ring->size / 4;
}

void
ring_write(struct ring *ring, const struct record *record)
{
	struct ring_header *header = ring->header;
	uint64_t to_end = ring->size - (header->write_at & (ring->size - 1));

	assert(record->size <= ring_record_max(ring));
	/* The rest behind the record must be able to hold padding. */
	if (to_end < record->size + sizeof(struct record) &&
	    to_end != record->size)
		ring_pad(ring, to_end);
	/* A reader must be able to find a visible record in the ring. */
	if (header->write_at -
		atomic_load_explicit(&header->head, memory_order_relaxed) >
	    ring->size / 4)
		ring_publish(ring);
	ring_make_room(ring, header->write_at + record->size);
	memcpy(ring_at(ring, header->write_at), record, record->size);
	header->write_at += record->size;
	header->write_cursor = record->cursor;
}

uint64_t
ring_publish(struct ring *ring)
{
	struct ring_header *header = ring->header;

	atomic_store_explicit(
	    &header->head, header->write_at, memory_order_release);
	/* Last: a writer that dies here has its newest events written again
	 * by the next one, where the other order would leave them out. */
	atomic_store_explicit(
	    &header->last_cursor, header->write_cursor, memory_order_release);
	return header->write_at;
}

/* Has the writer let go of this position? Asked after every copy. */
static bool
ring_let_go(const struct ring *ring, uint64_t position)
{
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&ring->header->tail, memory_order_relaxed) >
	       position;
}

void
ring_attach(const struct ring *ring, struct ring_reader *reader)
{
	struct ring_header *header = ring->header;

	do {
		reader->at =
		    atomic_load_explicit(&header->tail, memory_order_acquire);
		reader->cursor = atomic_load_explicit(
		    &header->floor_cursor, memory_order_acquire);
	} while (ring_let_go(ring, reader->at));
}

enum ring_read
ring_next_size(
    const struct ring *ring, struct ring_reader *reader, size_t *size)
{
	uint64_t head =
	    atomic_load_explicit(&ring->header->head, memory_order_acquire);
	struct record next;

	for (;;) {
		if (ring_let_go(ring, reader->at))
			return RING_LAPPED;
		if (reader->at >= head)
			return RING_EMPTY;
		memcpy(&next, ring_at(ring, reader->at), sizeof(next));
		if (ring_let_go(ring, reader->at))
			return RING_LAPPED;
		if (next.kind != RING_PADDING)
			break;
		reader->at += next.size;
	}
	*size = next.size;
	return RING_RECORD;
}

enum ring_read
ring_skip_next(const struct ring *ring, struct ring_reader *reader, size_t size)
{
	uint64_t cursor = ring_at(ring, reader->at)->cursor;

	if (ring_let_go(ring, reader->at))
		return RING_LAPPED;
	reader->at += size;
	reader->cursor = cursor;
	return RING_RECORD;
}

enum ring_read
ring_copy_next(
    const struct ring *ring, struct ring_reader *reader, void *to, size_t size)
{
	memcpy(to, ring_at(ring, reader->at), size);
	if (ring_let_go(ring, reader->at))
		return RING_LAPPED;
	reader->at += size;
	reader->cursor = ((const struct record *)to)->cursor;
	return RING_RECORD;
}
