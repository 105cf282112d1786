/* answer: an HTTP answer, byte by byte. See answer.h. */
#include "tests/bench/answer.h"

#include <string.h>
#include <strings.h>

/* Of a chunk's size, in hexadecimal: no chunk has more bytes. */
enum { SIZE_DIGITS = 8 };

/* The status of "HTTP/1.1 200 OK"; 0: it is no such line. */
static int
status_of(const char *line)
{
	static const char version[] = "HTTP/1.";
	int status = 0;

	if (strncmp(line, version, sizeof(version) - 1) != 0 ||
	    line[7] == '\0' || line[8] != ' ')
		return 0;
	for (line += 9; *line >= '0' && *line <= '9' && status < 1000; line++)
		status = status * 10 + (*line - '0');
	return (*line == ' ' || *line == '\0') && status < 1000 ? status : 0;
}

/* Is it that field, with that value? Blanks around the value do not count. */
static bool
has_field(const char *line, const char *name, const char *value)
{
	size_t name_len = strlen(name), len = strlen(value);

	if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
		return false;
	line += name_len + 1;
	line += strspn(line, " \t");
	return strncasecmp(line, value, len) == 0 &&
	       line[len + strspn(line + len, " \t")] == '\0';
}

static void
take_head_line(struct answer *answer)
{
	const char *line = answer->line;
	size_t len =
	    answer->line_len < ANSWER_LINE ? answer->line_len : ANSWER_LINE;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	answer->line[len] = '\0';
	answer->line_len = 0;
	if (answer->status == 0) {
		answer->status = status_of(line);
		if (answer->status == 0)
			answer->place = ANSWER_BROKEN;
	} else if (len == 0) {
		answer->place =
		    answer->chunked ? ANSWER_CHUNK_SIZE : ANSWER_PLAIN;
	} else if (has_field(line, "transfer-encoding", "chunked")) {
		answer->chunked = true;
	} else if (has_field(line, "content-encoding", "gzip")) {
		answer->coding = UNPACK_GZIP;
	} else if (has_field(line, "content-encoding", "zstd")) {
		answer->coding = UNPACK_ZSTD;
	}
}

/* -1: it is no digit. */
static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)(digit | 0x20);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* A byte of "1f4", CR, LF. */
static void
take_size_byte(struct answer *answer, char byte)
{
	int value = hex_value(byte);

	if (byte == '\n' && answer->size_digits > 0) {
		answer->place =
		    answer->chunk_left > 0 ? ANSWER_CHUNK : ANSWER_ENDED;
		answer->size_digits = 0;
	} else if (value >= 0 && answer->size_digits < SIZE_DIGITS) {
		answer->chunk_left = answer->chunk_left * 16 + (size_t)value;
		answer->size_digits++;
	} else if (byte != '\r') {
		answer->place = ANSWER_BROKEN;
	}
}

/* One byte of what stands around the body. */
static void
take_frame_byte(struct answer *answer, char byte)
{
	switch (answer->place) {
	case ANSWER_HEAD:
		if (byte == '\n')
			take_head_line(answer);
		else if (answer->line_len < ANSWER_LINE)
			answer->line[answer->line_len++] = byte;
		break;
	case ANSWER_CHUNK_SIZE:
		take_size_byte(answer, byte);
		break;
	case ANSWER_BEHIND_CHUNK:
		if (byte == '\n')
			answer->place = ANSWER_CHUNK_SIZE;
		else if (byte != '\r')
			answer->place = ANSWER_BROKEN;
		break;
	case ANSWER_CHUNK:
	case ANSWER_PLAIN:
	case ANSWER_ENDED:
	case ANSWER_BROKEN:
		break;
	}
}

void
answer_take(struct answer *answer, const char *bytes, size_t len,
    answer_on_body *on_body, void *context)
{
	while (len > 0 && answer->place != ANSWER_ENDED &&
	       answer->place != ANSWER_BROKEN) {
		size_t part = 1;

		if (answer->place == ANSWER_PLAIN) {
			part = len;
			on_body(bytes, part, context);
		} else if (answer->place == ANSWER_CHUNK) {
			size_t left = answer->chunk_left;

			part = len < left ? len : left;
			on_body(bytes, part, context);
			answer->chunk_left -= part;
			if (answer->chunk_left == 0)
				answer->place = ANSWER_BEHIND_CHUNK;
		} else {
			take_frame_byte(answer, *bytes);
		}
		bytes += part;
		len -= part;
	}
}
