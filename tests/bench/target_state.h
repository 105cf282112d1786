/* target_state: what the rooms of target know of each other. */
#ifndef SSEMUX_BENCH_TARGET_STATE_H
#define SSEMUX_BENCH_TARGET_STATE_H

#include <netinet/in.h>
#include <stddef.h>

enum {
	TARGET_FLOORS_MAX = 16,
	TARGET_OUTSTANDING_MAX = 64, /* requests on their way */
	TARGET_BUFFER = 1 << 18,
};

struct target {
	struct ssemux_pub *pub; /* a broker; else NULL */
	const char *path;       /* of a POST; else NULL */
	struct sockaddr_in address;
	int fd; /* of the connection; -1: none to wait for */
	int floors[TARGET_FLOORS_MAX]; /* a socket of each worker */
	size_t floor_count;
	size_t outstanding; /* requests that have not been answered */
	size_t used;        /* bytes to be sent */
	size_t matched;     /* of the text that an answer begins with */
	char buffer[TARGET_BUFFER];
};

void target_open_floor(struct target *target, const char *where);
int target_publish_floor(struct target *target, const char *data, size_t len);

void target_open_http(struct target *target, const char *url);
int target_publish_http(
    struct target *target, size_t channel, const char *data, size_t len);
void target_dispatch_http(struct target *target);

#endif
