/* utf8: validation of UTF-8. See utf8.h. */
#include "protocol/utf8.h"

#include <stdint.h>
#include <string.h>

/*
 * The length of the sequence that begins with this byte, and the range its
 * second byte must be in (RFC 3629, section 4); the rest are 80..BF.
 */
static size_t
sequence_length(uint8_t first, uint8_t *low, uint8_t *high)
{
	*low = 0x80;
	*high = 0xBF;
	if (first >= 0xC2 && first <= 0xDF)
		return 2;
	if (first >= 0xE0 && first <= 0xEF) {
		*low = first == 0xE0 ? 0xA0 : 0x80;
		*high = first == 0xED ? 0x9F : 0xBF;
		return 3;
	}
	if (first >= 0xF0 && first <= 0xF4) {
		*low = first == 0xF0 ? 0x90 : 0x80;
		*high = first == 0xF4 ? 0x8F : 0xBF;
		return 4;
	}
	return 0;
}

static size_t
skip_ascii(const uint8_t *bytes, size_t at, size_t len)
{
	uint64_t word;

	while (len - at >= sizeof(word)) {
		memcpy(&word, bytes + at, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
		at += sizeof(word);
	}
	while (at < len && bytes[at] < 0x80)
		at++;
	return at;
}

bool
utf8_valid(const char *text, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t at = skip_ascii(bytes, 0, len);

	while (at < len) {
		uint8_t low, high;
		size_t count = sequence_length(bytes[at], &low, &high);

		if (count == 0 || count > len - at)
			return false;
		if (bytes[at + 1] < low || bytes[at + 1] > high)
			return false;
		for (size_t i = 2; i < count; i++) {
			if (bytes[at + i] < 0x80 || bytes[at + i] > 0xBF)
				return false;
		}
		at = skip_ascii(bytes, at + count, len);
	}
	return true;
}
