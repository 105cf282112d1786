/* auth_base64: base64url, strictly. See auth_base64.h. */
#include "broker/shared/auth_base64.h"

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

bool
auth_base64_decode(struct slice text, unsigned char *out, size_t *len)
{
	unsigned held = 0;
	unsigned bits = 0; /* of held that are not written yet */
	size_t written = 0;

	if (text.len % 4 == 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int value = value_of(text.bytes[i]);

		if (value < 0)
			return false;
		held = (held << 6 | (unsigned)value) & 0xFFF;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[written++] = (unsigned char)(held >> bits);
		}
	}
	*len = written;
	return (held & ((1U << bits) - 1)) == 0;
}
