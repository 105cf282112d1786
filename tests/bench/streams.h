/*
 * streams: many event streams held by one epoll loop, each read as it comes
 * in: head, chunks, lines. Fails by ending the program.
 */
#ifndef SSEMUX_BENCH_STREAMS_H
#define SSEMUX_BENCH_STREAMS_H

#include <stddef.h>
#include <stdint.h>

struct streams;

struct streams_counts {
	uint64_t events;
	uint64_t missing;    /* numbers that have not come */
	uint64_t doubled;    /* numbers that came once more */
	uint64_t disordered; /* numbers that came behind a higher one */
};

/* Opens so many streams with this query, as "channels=bench". */
struct streams *streams_open(uint64_t port, size_t count, const char *query);

void streams_close(struct streams *streams);

/* Calls it with the number of each event, and with the context. */
void streams_watch(struct streams *streams,
    void (*on_number)(uint64_t number, void *context), void *context);

/* Becomes readable when a stream has something to read. */
int streams_fd(const struct streams *streams);

/* Reads what is there, waiting so long at most; -1: until there is some. */
void streams_read(struct streams *streams, int timeout_ms);

/* Reads until every stream has said that it is live. */
void streams_wait_live(struct streams *streams);

/* Reads until every stream has received the event with this number. */
void streams_wait_number(struct streams *streams, uint64_t number);

struct streams_counts streams_counts(const struct streams *streams);

#endif
