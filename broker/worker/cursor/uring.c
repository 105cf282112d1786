/*
 * uring: the kernel's queues, by its system calls. See uring.h.
 *
 *	entries	  | send | send | ...	ours, until their tail is moved
 *	results	  | which, bytes | ...	the kernel's, until our head is moved
 *
 * Both queues are empty between two calls: a send that does not block is done
 * when the call that hands it in returns.
 */
#include "broker/worker/cursor/uring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { FEW = 4 }; /* not worth the queues */

static void
send_one(struct uring_send *send_)
{
	do {
		send_->sent = send(send_->fd, send_->bytes.bytes,
		    send_->bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (send_->sent == -1 && errno == EINTR);
	if (send_->sent == -1)
		send_->sent = -errno;
}

#if !defined(SSEMUX_NO_IO_URING) && __has_include(<linux/io_uring.h>)

#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct uring {
	int fd;
	char *queues;
	size_t queues_bytes;
	struct io_uring_sqe *entries;
	size_t entries_bytes;
	_Atomic uint32_t *entries_head;
	_Atomic uint32_t *entries_tail;
	uint32_t entries_mask;
	const struct io_uring_cqe *results;
	_Atomic uint32_t *results_head;
	_Atomic uint32_t *results_tail;
	uint32_t results_mask;
};

static void *
map(int fd, size_t bytes, uint64_t offset)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_POPULATE, fd, (off_t)offset);

	return memory == MAP_FAILED ? NULL : memory;
}

static size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void *
at(const struct uring *uring, uint32_t offset)
{
	return uring->queues + offset;
}

static int
map_queues(struct uring *uring, const struct io_uring_params *params)
{
	const struct io_sqring_offsets *entries = &params->sq_off;
	const struct io_cqring_offsets *results = &params->cq_off;
	uint32_t *order;

	uring->entries_bytes = params->sq_entries * sizeof(struct io_uring_sqe);
	uring->queues_bytes = larger(
	    entries->array + params->sq_entries * sizeof(uint32_t),
	    results->cqes + params->cq_entries * sizeof(struct io_uring_cqe));
	uring->queues = map(uring->fd, uring->queues_bytes, IORING_OFF_SQ_RING);
	uring->entries = map(uring->fd, uring->entries_bytes, IORING_OFF_SQES);
	if (uring->queues == NULL || uring->entries == NULL)
		return -1;
	uring->entries_head = at(uring, entries->head);
	uring->entries_tail = at(uring, entries->tail);
	uring->entries_mask = params->sq_entries - 1;
	uring->results = at(uring, results->cqes);
	uring->results_head = at(uring, results->head);
	uring->results_tail = at(uring, results->tail);
	uring->results_mask = params->cq_entries - 1;
	/* Entries are handed in where they lie. */
	order = at(uring, entries->array);
	for (uint32_t i = 0; i < params->sq_entries; i++)
		order[i] = i;
	return 0;
}

/* From here on it sends, and nothing else. */
static int
confine(const struct uring *uring)
{
	struct io_uring_restriction only_send = {
	    .opcode = IORING_RESTRICTION_SQE_OP,
	    .sqe_op = IORING_OP_SEND,
	};

	if (syscall(SYS_io_uring_register, uring->fd,
		IORING_REGISTER_RESTRICTIONS, &only_send, 1) == -1)
		return -1;
	return (int)syscall(SYS_io_uring_register, uring->fd,
	    IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

struct uring *
uring_create(void)
{
	struct io_uring_params params = {
	    .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
		     IORING_SETUP_R_DISABLED,
	};
	struct uring *uring = calloc(1, sizeof(*uring));
	int error;

	if (uring == NULL)
		return NULL;
	uring->fd = (int)syscall(SYS_io_uring_setup, URING_SENDS, &params);
	if (uring->fd != -1 && map_queues(uring, &params) == 0 &&
	    confine(uring) == 0)
		return uring;
	error = errno;
	uring_destroy(uring);
	errno = error;
	return NULL;
}

void
uring_destroy(struct uring *uring)
{
	if (uring == NULL)
		return;
	if (uring->queues != NULL)
		munmap(uring->queues, uring->queues_bytes);
	if (uring->entries != NULL)
		munmap(uring->entries, uring->entries_bytes);
	if (uring->fd != -1)
		close(uring->fd);
	free(uring);
}

static void
add(struct uring *uring, uint32_t position, uint64_t number,
    const struct uring_send *send_)
{
	uring->entries[position & uring->entries_mask] = (struct io_uring_sqe){
	    .opcode = IORING_OP_SEND,
	    .fd = send_->fd,
	    .addr = (uintptr_t)send_->bytes.bytes,
	    .len = (uint32_t)send_->bytes.len,
	    .msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT,
	    .user_data = number,
	};
}

/* Takes the results that there are; how many. */
static size_t
take_results(struct uring *uring, struct uring_send *sends)
{
	uint32_t head =
	    atomic_load_explicit(uring->results_head, memory_order_relaxed);
	uint32_t tail =
	    atomic_load_explicit(uring->results_tail, memory_order_acquire);
	size_t count = tail - head;

	for (; head != tail; head++) {
		const struct io_uring_cqe *result =
		    &uring->results[head & uring->results_mask];

		sends[result->user_data].sent = result->res;
	}
	atomic_store_explicit(uring->results_head, tail, memory_order_release);
	return count;
}

/* How many entries the kernel has not taken. */
static uint32_t
untaken(const struct uring *uring)
{
	return atomic_load_explicit(uring->entries_tail, memory_order_relaxed) -
	       atomic_load_explicit(uring->entries_head, memory_order_acquire);
}

/* Hands in what the kernel has not taken, and waits for the results. */
static int
enter(const struct uring *uring, size_t results)
{
	long taken;

	do {
		taken = syscall(SYS_io_uring_enter, uring->fd, untaken(uring),
		    results, IORING_ENTER_GETEVENTS, NULL, 0);
	} while (taken == -1 && errno == EINTR);
	return taken == -1 ? -1 : 0;
}

/* What the kernel has not taken is sent without it. */
static void
take_back(struct uring *uring, struct uring_send *sends, size_t count)
{
	uint32_t left = untaken(uring);
	uint32_t tail =
	    atomic_load_explicit(uring->entries_tail, memory_order_relaxed);

	atomic_store_explicit(
	    uring->entries_tail, tail - left, memory_order_release);
	for (size_t i = count - left; i < count; i++)
		send_one(&sends[i]);
}

static int
send_all(struct uring *uring, struct uring_send *sends, size_t count)
{
	uint32_t tail =
	    atomic_load_explicit(uring->entries_tail, memory_order_relaxed);
	size_t done = 0;

	for (size_t i = 0; i < count; i++) {
		add(uring, tail + (uint32_t)i, i, &sends[i]);
		sends[i].sent = -ECANCELED; /* should it never be said */
	}
	atomic_store_explicit(
	    uring->entries_tail, tail + (uint32_t)count, memory_order_release);
	while (done < count) {
		if (enter(uring, count - done) == -1) {
			int error = errno;

			take_results(uring, sends);
			take_back(uring, sends, count);
			errno = error;
			return -1;
		}
		done += take_results(uring, sends);
	}
	return 0;
}

#else

struct uring *
uring_create(void)
{
	errno = ENOSYS;
	return NULL;
}

void
uring_destroy(struct uring *uring)
{
	(void)uring;
}

static int
send_all(struct uring *uring, struct uring_send *sends, size_t count)
{
	(void)uring;
	for (size_t i = 0; i < count; i++)
		send_one(&sends[i]);
	return 0;
}

#endif

int
uring_send(struct uring *uring, struct uring_send *sends, size_t count)
{
	assert(count <= URING_SENDS);
	if (uring != NULL && count >= FEW)
		return send_all(uring, sends, count);
	for (size_t i = 0; i < count; i++)
		send_one(&sends[i]);
	return 0;
}
