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
	uint64_t missing;    /* numbers that were jumped over */
	uint64_t doubled;    /* the same number once more */
	uint64_t disordered; /* a smaller number than the one before */
};

/* Opens so many streams of the channel "bench". */
struct streams *streams_open(uint64_t port, size_t count);

/* Reads until every stream has said that it is live. */
void streams_wait_live(struct streams *streams);

/* Reads until every stream has received the event with this number. */
void streams_wait_number(struct streams *streams, uint64_t number);

struct streams_counts streams_counts(const struct streams *streams);

#endif
