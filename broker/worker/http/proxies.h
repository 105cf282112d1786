/*
 * proxies: the address of a client, as told by proxies that are trusted to.
 * Pure.
 */
#ifndef SSEMUX_WORKER_HTTP_PROXIES_H
#define SSEMUX_WORKER_HTTP_PROXIES_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/shared/address.h"

struct config;
struct http_request;

struct proxies {
	struct address_range *trusted;
	size_t count;
};

/* Reads http.trusted_proxies, whose items are good. 0, or -1: no memory. */
int proxies_init(struct proxies *proxies, const struct config *config);
void proxies_finish(struct proxies *proxies);

bool proxies_trust(
    const struct proxies *proxies, const struct address *address);

/*
 * Whose request it is that came from the address `from`, a trusted one: each
 * proxy adds to X-Forwarded-For the address that it got the request from, so
 * from the right the first one that is not trusted is the client. Behind one
 * that is no address nothing is believed: the proxy that wrote it counts.
 */
struct address proxies_client(const struct proxies *proxies,
    const struct http_request *request, struct address from);

#endif
