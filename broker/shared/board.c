/* board: numbers and flags that processes show each other. See board.h. */
#include "broker/shared/board.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(sizeof(struct board_page) <= BOARD_PAGE_BYTES, "one page each");

enum metric_kind { COUNTER, GAUGE };

static const struct {
	const char *name;
	const char *sentence;
	enum metric_kind kind;
} rows[METRIC_COUNT] = {
#define METRIC(name, text, kind, sentence) \
	[METRIC_##name] = {text, sentence, kind},
#include "broker/shared/metrics.def"
#undef METRIC
};

static struct board_page *
page_at(const struct board_page *pages, size_t index, size_t page_bytes)
{
	char *first = (char *)(uintptr_t)pages;

	return (struct board_page *)(void *)(first + index * page_bytes);
}

static size_t
system_page_bytes(void)
{
	long bytes = sysconf(_SC_PAGESIZE);

	return bytes > BOARD_PAGE_BYTES ? (size_t)bytes : BOARD_PAGE_BYTES;
}

int
board_create(struct board *board, size_t workers, int *fd)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;
	void *memory;

	board->page_count = BOARD_FIRST_WORKER + workers;
	board->page_bytes = system_page_bytes();
	*fd = memfd_create("ssemux-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd == -1)
		return -1;
	if (ftruncate(*fd, (off_t)(board->page_count * board->page_bytes)) ==
	    -1)
		goto fail;
	memory = mmap(NULL, board->page_count * board->page_bytes,
	    PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (memory == MAP_FAILED || fcntl(*fd, F_ADD_SEALS, seals) == -1)
		goto fail;
	board->pages = memory;
	board->own = memory;
	return 0;
fail:
	close(*fd);
	return -1;
}

int
board_confine(struct board *board, int fd, size_t own)
{
	size_t page_bytes = board->page_bytes;
	char *writable = (char *)(uintptr_t)board->pages;
	const void *readable = mmap(
	    NULL, board->page_count * page_bytes, PROT_READ, MAP_SHARED, fd, 0);

	if (readable == MAP_FAILED)
		return -1;
	/* Every other page goes; the own one stays writable where it is. */
	if (munmap(writable, own * page_bytes) == -1 ||
	    (own + 1 < board->page_count &&
		munmap(writable + (own + 1) * page_bytes,
		    (board->page_count - own - 1) * page_bytes) == -1))
		return -1;
	board->own = page_at(board->pages, own, page_bytes);
	board->pages = readable;
	return 0;
}

void
board_owner_ended(struct board *board, size_t page)
{
	struct board_page *ended =
	    page_at(board->pages, page, board->page_bytes);

	atomic_store(&ended->alive, 0);
	atomic_store(&ended->sleeping, 0);
	atomic_store(&ended->read_at, 0);
	atomic_store(&ended->revocation, 0);
	for (int i = 0; i < METRIC_COUNT; i++) {
		if (rows[i].kind == GAUGE)
			atomic_store(&ended->metrics[i], 0);
	}
	board_forget_rest(ended);
}

void
board_add(struct board *board, enum metric metric, uint64_t amount)
{
	board_set(board, metric,
	    atomic_load_explicit(
		&board->own->metrics[metric], memory_order_relaxed) +
		amount);
}

void
board_subtract(struct board *board, enum metric metric, uint64_t amount)
{
	board_add(board, metric, -amount);
}

/* A page has one writer, so a plain store is enough. */
void
board_set(struct board *board, enum metric metric, uint64_t value)
{
	atomic_store_explicit(
	    &board->own->metrics[metric], value, memory_order_relaxed);
}

uint64_t
board_get(const struct board *board, size_t page, enum metric metric)
{
	assert(page < board->page_count);
	return atomic_load_explicit(
	    &page_at(board->pages, page, board->page_bytes)->metrics[metric],
	    memory_order_relaxed);
}

uint64_t
board_sum(const struct board *board, enum metric metric)
{
	uint64_t sum = 0;

	for (size_t page = 0; page < board->page_count; page++)
		sum += board_get(board, page, metric);
	return sum;
}

bool
board_alive(const struct board *board, size_t page)
{
	return atomic_load(
		   &page_at(board->pages, page, board->page_bytes)->alive) != 0;
}

bool
board_sleeping(const struct board *board, size_t page)
{
	return atomic_load_explicit(
		   &page_at(board->pages, page, board->page_bytes)->sleeping,
		   memory_order_relaxed) != 0;
}

void
board_set_alive(struct board *board)
{
	atomic_store(&board->own->alive, 1);
}

void
board_set_read(struct board *board, uint64_t position)
{
	atomic_store_explicit(
	    &board->own->read_at, position, memory_order_release);
}

/*
 * In the order of all atomics: a worker that becomes alive and then looks at
 * the hub's number either sees this one, or is seen alive by the hub.
 */
void
board_set_revocation(struct board *board, uint64_t number)
{
	atomic_store(&board->own->revocation, number);
}

static uint64_t
revocation_at(const struct board *board, size_t page)
{
	return atomic_load(
	    &page_at(board->pages, page, board->page_bytes)->revocation);
}

uint64_t
board_newest_revocation(const struct board *board)
{
	return revocation_at(board, BOARD_HUB);
}

void
board_withdraw(struct board *board, uint64_t number, uint64_t streams)
{
	struct board_withdrawal *withdrawal =
	    &board->own->withdrawals[number % BOARD_WITHDRAWALS];

	atomic_store_explicit(
	    &withdrawal->streams, streams, memory_order_relaxed);
	atomic_store_explicit(
	    &withdrawal->revocation, number, memory_order_release);
}

size_t
board_unrevoked(const struct board *board, uint64_t number)
{
	size_t workers = 0;

	for (size_t i = BOARD_FIRST_WORKER; i < board->page_count; i++)
		workers +=
		    board_alive(board, i) && revocation_at(board, i) < number;
	return workers;
}

uint64_t
board_withdrawn(const struct board *board, uint64_t number)
{
	uint64_t sum = 0;

	for (size_t i = BOARD_FIRST_WORKER; i < board->page_count; i++) {
		const struct board_withdrawal *withdrawal =
		    &page_at(board->pages, i, board->page_bytes)
			 ->withdrawals[number % BOARD_WITHDRAWALS];

		if (board_alive(board, i) &&
		    atomic_load_explicit(&withdrawal->revocation,
			memory_order_acquire) == number)
			sum += atomic_load_explicit(
			    &withdrawal->streams, memory_order_relaxed);
	}
	return sum;
}

const char *
metric_name(enum metric metric)
{
	return rows[metric].name;
}

const char *
metric_kind(enum metric metric)
{
	return rows[metric].kind == COUNTER ? "counter" : "gauge";
}

const char *
metric_sentence(enum metric metric)
{
	return rows[metric].sentence;
}
