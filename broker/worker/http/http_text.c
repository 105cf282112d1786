/* http_text: what the lines of a request are made of. See http_text.h. */
#include "broker/worker/http/http_text.h"

#include <strings.h>

/* The sums of the classes that each byte of ASCII is in. */
/* clang-format off */
static const unsigned char ascii_classes[128] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/*  !"#$%&'()*+,-./ */
	4, 15, 6, 5, 15, 15, 15, 15, 14, 14, 15, 15, 6, 15, 15, 6,
	/* 0123456789:;<=>? */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 14, 6, 14, 6, 6,
	/* @ABCDEFGHIJKLMNO */
	6, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	/* PQRSTUVWXYZ[\]^_ */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 6, 14, 7, 15,
	/* `abcdefghijklmno */
	7, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	/* pqrstuvwxyz{|}~ */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 6, 7, 6, 15, 0,
};
/* clang-format on */

static unsigned
class_of(unsigned char byte)
{
	return byte < 128 ? ascii_classes[byte] : HTTP_IN_VALUE;
}

size_t
http_text_span(struct slice text, enum http_class in)
{
	size_t i = 0;

	while (
	    i < text.len && (class_of((unsigned char)text.bytes[i]) & in) != 0)
		i++;
	return i;
}

bool
http_text_all(struct slice text, enum http_class in)
{
	return http_text_span(text, in) == text.len;
}

bool
http_text_is(struct slice text, const char *word)
{
	return strlen(word) == text.len &&
	       strncasecmp(text.bytes, word, text.len) == 0;
}

bool
http_text_next(struct slice *text, char divider, struct slice *part)
{
	const char *found;

	if (text->len == 0)
		return false;
	found = memchr(text->bytes, divider, text->len);
	*part = *text;
	if (found == NULL) {
		*text = http_text_skip(*text, text->len);
		return true;
	}
	part->len = (size_t)(found - text->bytes);
	*text = http_text_skip(*text, part->len + 1);
	return true;
}

int
http_text_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}
