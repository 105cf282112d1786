/* json: a validating scanner and a string escaper. See json.h. */
#include "protocol/json.h"

#include <stdint.h>
#include <string.h>

#include "protocol/buf.h"

/*
 * The scanner keeps one bit per open bracket, 1 for an object; so nesting
 * costs no recursion and JSON_DEPTH_MAX is the width of the word.
 */
struct scanner {
	const char *at;
	const char *end;
	uint64_t objects;
	int depth;
};

_Static_assert(JSON_DEPTH_MAX == 64, "one bit per level");

static void
skip_space(struct scanner *scan)
{
	while (
	    scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' ||
					*scan->at == '\r' || *scan->at == '\t'))
		scan->at++;
}

static bool
scan_char(struct scanner *scan, char expected)
{
	if (scan->at == scan->end || *scan->at != expected)
		return false;
	scan->at++;
	return true;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

/* After the backslash. */
static bool
scan_escape(struct scanner *scan)
{
	if (scan->at == scan->end)
		return false;
	if (*scan->at != 'u')
		return memchr("\"\\/bfnrt", *scan->at++, 8) != NULL;
	scan->at++;
	for (int i = 0; i < 4; i++, scan->at++) {
		if (scan->at == scan->end || !is_hex(*scan->at))
			return false;
	}
	return true;
}

static bool
scan_string(struct scanner *scan)
{
	if (!scan_char(scan, '"'))
		return false;
	while (scan->at < scan->end) {
		unsigned char c = (unsigned char)*scan->at++;

		if (c == '"')
			return true;
		if (c < 0x20)
			return false;
		if (c == '\\' && !scan_escape(scan))
			return false;
	}
	return false;
}

static bool
scan_digits(struct scanner *scan)
{
	const char *first = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return scan->at > first;
}

static bool
scan_number(struct scanner *scan)
{
	scan_char(scan, '-');
	if (!scan_char(scan, '0') && !scan_digits(scan))
		return false;
	if (scan_char(scan, '.') && !scan_digits(scan))
		return false;
	if (scan_char(scan, 'e') || scan_char(scan, 'E')) {
		if (!scan_char(scan, '+'))
			scan_char(scan, '-');
		return scan_digits(scan);
	}
	return true;
}

static bool
scan_word(struct scanner *scan, const char *word, size_t len)
{
	if ((size_t)(scan->end - scan->at) < len ||
	    memcmp(scan->at, word, len) != 0)
		return false;
	scan->at += len;
	return true;
}

/* A name and its colon, inside an object. */
static bool
scan_name(struct scanner *scan)
{
	skip_space(scan);
	if (!scan_string(scan))
		return false;
	skip_space(scan);
	return scan_char(scan, ':');
}

static bool
in_object(const struct scanner *scan)
{
	return (scan->objects >> (scan->depth - 1) & 1) != 0;
}

enum scanned { SCANNED_BAD, SCANNED_VALUE, SCANNED_OPENED };

/* An opening bracket; an empty pair is a whole value. */
static enum scanned
scan_open(struct scanner *scan, bool object)
{
	scan->at++;
	skip_space(scan);
	if (scan_char(scan, object ? '}' : ']'))
		return SCANNED_VALUE;
	if (scan->depth == JSON_DEPTH_MAX)
		return SCANNED_BAD;
	scan->objects &= ~(UINT64_C(1) << scan->depth);
	scan->objects |= (uint64_t)object << scan->depth;
	scan->depth++;
	if (object && !scan_name(scan))
		return SCANNED_BAD;
	return SCANNED_OPENED;
}

static enum scanned
scan_value(struct scanner *scan)
{
	bool good;

	skip_space(scan);
	if (scan->at == scan->end)
		return SCANNED_BAD;
	switch (*scan->at) {
	case '{':
		return scan_open(scan, true);
	case '[':
		return scan_open(scan, false);
	case '"':
		good = scan_string(scan);
		break;
	case 't':
		good = scan_word(scan, "true", 4);
		break;
	case 'f':
		good = scan_word(scan, "false", 5);
		break;
	case 'n':
		good = scan_word(scan, "null", 4);
		break;
	default:
		good = scan_number(scan);
	}
	return good ? SCANNED_VALUE : SCANNED_BAD;
}

/* After a value: closes what closes here; false when the text is at fault.
 * When it returns true, depth is 0 or another value must follow. */
static bool
scan_after_value(struct scanner *scan)
{
	while (scan->depth > 0) {
		skip_space(scan);
		if (scan_char(scan, ','))
			return !in_object(scan) || scan_name(scan);
		if (!scan_char(scan, in_object(scan) ? '}' : ']'))
			return false;
		scan->depth--;
	}
	return true;
}

/* One value, with the space before it; false when the text is at fault. */
static bool
scan_whole(struct scanner *scan)
{
	do {
		enum scanned scanned = scan_value(scan);

		if (scanned == SCANNED_OPENED)
			continue;
		if (scanned == SCANNED_BAD || !scan_after_value(scan))
			return false;
	} while (scan->depth > 0);
	return true;
}

bool
json_valid(const char *text, size_t len)
{
	struct scanner scan = {.at = text};

	if (len == 0)
		return false;
	scan.end = text + len;
	if (!scan_whole(&scan))
		return false;
	skip_space(&scan);
	return scan.at == scan.end;
}

size_t
json_fault(const char *text, size_t len, bool *deep)
{
	struct scanner scan = {.at = text};

	if (len > 0) {
		scan.end = text + len;
		if (scan_whole(&scan))
			skip_space(&scan);
	}
	*deep = scan.depth == JSON_DEPTH_MAX;
	return (size_t)(scan.at - text);
}

size_t
json_value_length(const char *text, size_t len)
{
	struct scanner scan = {.at = text};

	if (len == 0)
		return 0;
	scan.end = text + len;
	return scan_whole(&scan) ? (size_t)(scan.at - text) : 0;
}

bool
json_is_object_or_array(const char *text, size_t len)
{
	struct scanner scan = {.at = text};

	if (len == 0)
		return false;
	scan.end = text + len;
	skip_space(&scan);
	return scan.at < scan.end && (*scan.at == '{' || *scan.at == '[') &&
	       json_valid(text, len);
}

static void
append_escaped(struct buf *buf, unsigned char c)
{
	static const char short_escapes[] = "\b\f\n\r\t\"\\";
	static const char letters[] = "bfnrt\"\\";
	static const char hex[] = "0123456789abcdef";
	const char *found = memchr(short_escapes, c, sizeof(letters) - 1);
	char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

	if (found == NULL) {
		buf_append(buf, escape, sizeof(escape));
		return;
	}
	escape[1] = letters[found - short_escapes];
	buf_append(buf, escape, 2);
}

void
json_append_string(struct buf *buf, const char *text, size_t len)
{
	size_t plain = 0; /* where the run of plain characters began */

	buf_append_char(buf, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_append(buf, text + plain, i - plain);
		append_escaped(buf, c);
		plain = i + 1;
	}
	if (plain < len)
		buf_append(buf, text + plain, len - plain);
	buf_append_char(buf, '"');
}

void
json_append_base64(struct buf *buf, const void *bytes, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *in = bytes;
	char *out = buf_reserve(buf, (len + 2) / 3 * 4 + 2);
	size_t at = 0;

	if (out == NULL)
		return;
	out[at++] = '"';
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t group = (uint32_t)in[i] << 16 |
				 (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
				 (left > 2 ? (uint32_t)in[i + 2] : 0);

		out[at++] = digits[group >> 18];
		out[at++] = digits[group >> 12 & 63];
		out[at++] = left > 1 ? digits[group >> 6 & 63] : '=';
		out[at++] = left > 2 ? digits[group & 63] : '=';
	}
	out[at++] = '"';
	buf_commit(buf, at);
}
