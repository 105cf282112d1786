/*
 * address: an Internet address, whatever family it came in. Pure.
 *
 * IPv4 is held as ::ffff:a.b.c.d, so that one client is one address also when
 * a socket of IPv6 took it.
 */
#ifndef SSEMUX_SHARED_ADDRESS_H
#define SSEMUX_SHARED_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/slice.h"

enum {
	ADDRESS_BYTES = 16,
	ADDRESS_TEXT_SIZE = 46, /* INET6_ADDRSTRLEN */
};

struct sockaddr_storage;

struct address {
	unsigned char bytes[ADDRESS_BYTES];
};

struct address_range {
	struct address first; /* the bits behind the prefix are 0 */
	unsigned bits;        /* of 128 */
};

/* 0; or -1: a socket of another family, and the address is all zero. */
int address_of_socket(
    struct address *address, const struct sockaddr_storage *socket);

struct address address_of_ipv4(const unsigned char bytes[4]);
struct address address_of_ipv6(const unsigned char bytes[ADDRESS_BYTES]);

/* An IPv4 address with four decimal numbers, or an IPv6 address; nothing
 * around it. 0, or -1. */
int address_parse(struct address *address, struct slice text);

/* The same, as headers of proxies have it: a port may follow, and IPv6 may
 * stand in brackets, with a port it must. 0, or -1. */
int address_parse_forwarded(struct address *address, struct slice text);

/* As people write it; IPv4 as four numbers. */
void address_format(
    const struct address *address, char text[ADDRESS_TEXT_SIZE]);

/* What counts as one client: an IPv4 address, or the /64 of an IPv6 address,
 * which one client has whole. The slice is valid as long as the address. */
struct slice address_client(const struct address *address);

/* An address, or one with "/" and the length of its prefix. 0, or -1 with one
 * sentence. */
int address_range_parse(
    struct address_range *range, struct slice text, const char **why);

bool address_in_range(
    const struct address *address, const struct address_range *range);

#endif
