/* proxy_header: the PROXY protocol. See proxy_header.h. */
#include "broker/worker/http/proxy_header.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char signature_1[] = "PROXY ";
static const unsigned char signature_2[12] = {
    '\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

enum {
	LINE_MAX_BYTES = 107, /* of version 1, with its CR LF */
	SIGNATURE_1_BYTES = sizeof(signature_1) - 1,
	SIGNATURE_2_BYTES = sizeof(signature_2),
	FIXED_2_BYTES = 16,
	IPV4_BYTES = 12, /* two addresses, two ports */
	IPV6_BYTES = 36,
};

/* --- version 1: PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 --- */

/* Cuts the next word off *line; each but the last ends with one space. */
static struct slice
next_word(struct slice *line)
{
	const char *space =
	    line->len > 0 ? memchr(line->bytes, ' ', line->len) : NULL;
	struct slice word = *line;

	if (space == NULL) {
		*line = slice_of(NULL, 0);
		return word;
	}
	word.len = (size_t)(space - line->bytes);
	*line = slice_of(space + 1, line->len - word.len - 1);
	return word;
}

static bool
is_port(struct slice word)
{
	unsigned number = 0;

	if (word.len == 0 || word.len > 5 ||
	    (word.len > 1 && word.bytes[0] == '0'))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.bytes[i] < '0' || word.bytes[i] > '9')
			return false;
		number = number * 10 + (unsigned)(word.bytes[i] - '0');
	}
	return number <= 65535;
}

/* An address of the family that the line names. */
static bool
is_address(struct slice word, struct slice family, struct address *address)
{
	bool colon = word.len > 0 && memchr(word.bytes, ':', word.len) != NULL;

	return colon == slice_is(family, "TCP6") &&
	       address_parse(address, word) == 0;
}

static enum proxy_header
read_line(struct slice line, struct address *client)
{
	struct slice family = next_word(&line);
	struct address server;

	if (slice_is(family, "UNKNOWN"))
		return PROXY_HEADER_LOCAL;
	if (!slice_is(family, "TCP4") && !slice_is(family, "TCP6"))
		return PROXY_HEADER_BAD;
	if (!is_address(next_word(&line), family, client) ||
	    !is_address(next_word(&line), family, &server) ||
	    !is_port(next_word(&line)) || line.bytes == NULL || !is_port(line))
		return PROXY_HEADER_BAD;
	return PROXY_HEADER_CLIENT;
}

static enum proxy_header
read_version_1(
    const char *bytes, size_t len, struct address *client, size_t *size)
{
	size_t seen = len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES;
	const char *feed = memchr(bytes, '\n', seen);

	if (feed == NULL)
		return seen == LINE_MAX_BYTES ? PROXY_HEADER_BAD
					      : PROXY_HEADER_PART;
	*size = (size_t)(feed + 1 - bytes);
	if (feed[-1] != '\r')
		return PROXY_HEADER_BAD;
	return read_line(
	    slice_of(bytes + SIGNATURE_1_BYTES, *size - 2 - SIGNATURE_1_BYTES),
	    client);
}

/* --- version 2: signature, version and command, family, length, addresses ---
 */

static enum proxy_header
read_addresses(const unsigned char *bytes, size_t len, unsigned char family,
    struct address *client)
{
	switch (family) {
	case 0x11: /* TCP over IPv4 */
		if (len < IPV4_BYTES)
			return PROXY_HEADER_BAD;
		*client = address_of_ipv4(bytes);
		return PROXY_HEADER_CLIENT;
	case 0x21: /* TCP over IPv6 */
		if (len < IPV6_BYTES)
			return PROXY_HEADER_BAD;
		*client = address_of_ipv6(bytes);
		return PROXY_HEADER_CLIENT;
	case 0x00: /* not known */
	case 0x31: /* a UNIX socket */
		return PROXY_HEADER_LOCAL;
	default: /* datagrams, and what will be */
		return PROXY_HEADER_BAD;
	}
}

static enum proxy_header
read_version_2(const unsigned char *bytes, size_t len, struct address *client,
    size_t *size)
{
	size_t rest;

	if (len < FIXED_2_BYTES)
		return PROXY_HEADER_PART;
	if (bytes[12] != 0x20 && bytes[12] != 0x21)
		return PROXY_HEADER_BAD;
	rest = (size_t)bytes[14] << 8 | bytes[15];
	if (rest > PROXY_HEADER_MAX - FIXED_2_BYTES)
		return PROXY_HEADER_BAD;
	if (len < FIXED_2_BYTES + rest)
		return PROXY_HEADER_PART;
	*size = FIXED_2_BYTES + rest;
	if (bytes[12] == 0x20)
		return PROXY_HEADER_LOCAL;
	return read_addresses(bytes + FIXED_2_BYTES, rest, bytes[13], client);
}

/* Is it the beginning of the signature, as far as it goes? */
static bool
begins(const char *bytes, size_t len, const void *signature, size_t size)
{
	return memcmp(bytes, signature, len < size ? len : size) == 0;
}

enum proxy_header
proxy_header_read(
    const char *bytes, size_t len, struct address *client, size_t *size)
{
	*size = 0;
	if (len == 0)
		return PROXY_HEADER_PART;
	if (begins(bytes, len, signature_1, SIGNATURE_1_BYTES))
		return len < SIGNATURE_1_BYTES
			   ? PROXY_HEADER_PART
			   : read_version_1(bytes, len, client, size);
	if (begins(bytes, len, signature_2, SIGNATURE_2_BYTES))
		return read_version_2(
		    (const unsigned char *)bytes, len, client, size);
	return PROXY_HEADER_BAD;
}
