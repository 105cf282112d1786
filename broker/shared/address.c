/* address: Internet addresses. See address.h. */
#include "broker/shared/address.h"

#include <arpa/inet.h>
#include <string.h>

static const unsigned char ipv4_prefix[12] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

enum { IPV4_PREFIX_BITS = 96 };

struct address
address_of_ipv4(const unsigned char bytes[4])
{
	struct address address;

	memcpy(address.bytes, ipv4_prefix, sizeof(ipv4_prefix));
	memcpy(address.bytes + sizeof(ipv4_prefix), bytes, 4);
	return address;
}

struct address
address_of_ipv6(const unsigned char bytes[ADDRESS_BYTES])
{
	struct address address;

	memcpy(address.bytes, bytes, ADDRESS_BYTES);
	return address;
}

static bool
is_ipv4(const struct address *address)
{
	return memcmp(address->bytes, ipv4_prefix, sizeof(ipv4_prefix)) == 0;
}

int
address_of_socket(
    struct address *address, const struct sockaddr_storage *socket)
{
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;

	switch (socket->ss_family) {
	case AF_INET:
		memcpy(&ipv4, socket, sizeof(ipv4));
		*address = address_of_ipv4(
		    (const unsigned char *)&ipv4.sin_addr.s_addr);
		return 0;
	case AF_INET6:
		memcpy(&ipv6, socket, sizeof(ipv6));
		*address = address_of_ipv6(ipv6.sin6_addr.s6_addr);
		return 0;
	default:
		*address = (struct address){{0}};
		return -1;
	}
}

int
address_parse(struct address *address, struct slice text)
{
	char copy[ADDRESS_TEXT_SIZE];
	unsigned char bytes[ADDRESS_BYTES];

	if (text.len == 0 || text.len >= sizeof(copy) ||
	    memchr(text.bytes, '\0', text.len) != NULL)
		return -1;
	memcpy(copy, text.bytes, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1) {
		*address = address_of_ipv4(bytes);
		return 0;
	}
	if (inet_pton(AF_INET6, copy, bytes) != 1)
		return -1;
	*address = address_of_ipv6(bytes);
	return 0;
}

/* ":" and a number up to 65535, or nothing. */
static bool
is_port(struct slice text)
{
	unsigned number = 0;

	if (text.len == 0)
		return true;
	if (text.bytes[0] != ':' || text.len < 2 || text.len > 6)
		return false;
	for (size_t i = 1; i < text.len; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return false;
		number = number * 10 + (unsigned)(text.bytes[i] - '0');
	}
	return number <= 65535;
}

static int
parse_before_port(struct address *address, struct slice text, size_t end)
{
	if (!is_port(slice_of(text.bytes + end, text.len - end)))
		return -1;
	return address_parse(address, slice_of(text.bytes, end));
}

int
address_parse_forwarded(struct address *address, struct slice text)
{
	const char *mark;

	if (address_parse(address, text) == 0)
		return 0;
	if (text.len > 0 && text.bytes[0] == '[') {
		text = slice_of(text.bytes + 1, text.len - 1);
		mark = memchr(text.bytes, ']', text.len);
		if (mark == NULL || memchr(text.bytes, ':', text.len) == NULL ||
		    !is_port(slice_of(
			mark + 1, text.len - (size_t)(mark + 1 - text.bytes))))
			return -1;
		return address_parse(
		    address, slice_of(text.bytes, (size_t)(mark - text.bytes)));
	}
	mark = text.len > 0 ? memchr(text.bytes, ':', text.len) : NULL;
	if (mark == NULL)
		return -1;
	return parse_before_port(address, text, (size_t)(mark - text.bytes));
}

void
address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
	if (is_ipv4(address))
		inet_ntop(AF_INET, address->bytes + sizeof(ipv4_prefix), text,
		    ADDRESS_TEXT_SIZE);
	else
		inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT_SIZE);
}

struct slice
address_client(const struct address *address)
{
	return slice_of((const char *)address->bytes,
	    is_ipv4(address) ? ADDRESS_BYTES : ADDRESS_BYTES / 2);
}

/* The number behind the slash; -1 when it is none. */
static int
read_bits(struct slice text)
{
	int bits = 0;

	if (text.len == 0 || text.len > 3 ||
	    (text.len > 1 && text.bytes[0] == '0'))
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return -1;
		bits = bits * 10 + (text.bytes[i] - '0');
	}
	return bits;
}

static bool
ends_with_zeros(const struct address *address, unsigned bits)
{
	for (unsigned i = bits; i < 8 * ADDRESS_BYTES; i++) {
		if ((address->bytes[i / 8] & 0x80 >> i % 8) != 0)
			return false;
	}
	return true;
}

int
address_range_parse(
    struct address_range *range, struct slice text, const char **why)
{
	const char *slash =
	    text.len > 0 ? memchr(text.bytes, '/', text.len) : NULL;
	size_t len = slash != NULL ? (size_t)(slash - text.bytes) : text.len;
	unsigned most = 8 * ADDRESS_BYTES, before = 0;
	int bits;

	*why = "it is no address, nor one with the length of its prefix";
	if (address_parse(&range->first, slice_of(text.bytes, len)) == -1)
		return -1;
	if (memchr(text.bytes, ':', len) == NULL)
		before = IPV4_PREFIX_BITS;
	bits = slash == NULL
		   ? (int)(most - before)
		   : read_bits(slice_of(slash + 1, text.len - len - 1));
	if (bits < 0 || (unsigned)bits > most - before)
		return -1;
	range->bits = (unsigned)bits + before;
	*why = "the address has bits behind its prefix";
	return ends_with_zeros(&range->first, range->bits) ? 0 : -1;
}

bool
address_in_range(
    const struct address *address, const struct address_range *range)
{
	unsigned whole = range->bits / 8, rest = range->bits % 8;
	unsigned mask = 0xFFu << (8 - rest);

	if (memcmp(address->bytes, range->first.bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       ((address->bytes[whole] ^ range->first.bytes[whole]) & mask) ==
		   0;
}
