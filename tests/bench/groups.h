/*
 * groups: which of the floor's subscribers have which channel. Channels are
 * numbers, named b0, b1 and so on in a request.
 */
#ifndef SSEMUX_BENCH_GROUPS_H
#define SSEMUX_BENCH_GROUPS_H

#include <stddef.h>

struct groups;

/* Ends the program when there is no memory, as all of these do. */
struct groups *groups_create(void);

/* Adds a subscriber to the channels of its request, GET /b0,b1 HTTP/1.1; to b0
 * when it names none. */
void groups_add(struct groups *groups, int fd, const char *request);

/* The subscriber is gone from all of them. */
void groups_remove(struct groups *groups, int fd);

/* Sends the bytes to each subscriber of a channel, with one call. */
void groups_send(
    struct groups *groups, size_t channel, const char *bytes, size_t len);

/* All of them, waiting where a subscriber is behind. */
void groups_write(int fd, const char *bytes, size_t len);

#endif
