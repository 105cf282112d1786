/*
 * proxy_header: what a proxy says of a connection before the first byte of the
 * client (the PROXY protocol of HAProxy, versions 1 and 2), read strictly.
 * Pure.
 */
#ifndef SSEMUX_WORKER_HTTP_PROXY_HEADER_H
#define SSEMUX_WORKER_HTTP_PROXY_HEADER_H

#include <stddef.h>

#include "broker/shared/address.h"

enum {
	PROXY_HEADER_MAX = 2048, /* bytes of version 2 with what it adds */
};

enum proxy_header {
	PROXY_HEADER_CLIENT, /* *client is its address; *size its length */
	PROXY_HEADER_LOCAL,  /* the proxy speaks for itself, or does not know */
	PROXY_HEADER_PART,   /* more is needed */
	PROXY_HEADER_BAD,
};

/* Reads the header at the start of the bytes. What version 2 adds behind the
 * addresses is skipped. */
enum proxy_header proxy_header_read(
    const char *bytes, size_t len, struct address *client, size_t *size);

#endif
