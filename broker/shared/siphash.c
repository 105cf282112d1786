/* siphash: a keyed hash. See siphash.h. */
#include "broker/shared/siphash.h"

#include <stddef.h>

static uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

/* So many bytes, 8 at most, the first the lowest. */
static uint64_t
read_word(const unsigned char *bytes, size_t len)
{
	uint64_t word = 0;

	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

static void
mix(uint64_t v[4], unsigned rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

static void
take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v, 2);
	v[0] ^= word;
}

uint64_t
siphash(const unsigned char key[SIPHASH_KEY_BYTES], struct slice bytes)
{
	const unsigned char *at = (const unsigned char *)bytes.bytes;
	uint64_t k0 = read_word(key, 8), k1 = read_word(key + 8, 8);
	uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
	    k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
	size_t left = bytes.len;

	for (; left >= 8; left -= 8, at += 8)
		take(v, read_word(at, 8));
	take(v, (uint64_t)bytes.len << 56 | read_word(at, left));
	v[2] ^= 0xFF;
	mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
