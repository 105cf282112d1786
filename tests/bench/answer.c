/* answer: an HTTP answer, byte by byte. See answer.h. */
#include "tests/bench/answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void
take_head_line(struct answer *answer)
{
	static const char version[] = "HTTP/1.";
	size_t len =
	    answer->line_len < ANSWER_LINE ? answer->line_len : ANSWER_LINE;

	if (len > 0 && answer->line[len - 1] == '\r')
		len--;
	answer->line[len] = '\0';
	answer->line_len = 0;
	if (len == 0)
		answer->place =
		    answer->chunked ? ANSWER_CHUNK_SIZE : ANSWER_PLAIN;
	else if (strncmp(answer->line, version, sizeof(version) - 1) == 0)
		answer->status = (int)strtol(answer->line + 9, NULL, 10);
	else if (strcasecmp(answer->line, "transfer-encoding: chunked") == 0)
		answer->chunked = true;
	else if (strcasecmp(answer->line, "content-encoding: gzip") == 0)
		answer->gzip = true;
}

static size_t
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (size_t)(digit - '0');
	return (size_t)((digit | 0x20) - 'a' + 10);
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
		if (byte == '\n')
			answer->place = ANSWER_CHUNK;
		else if (byte != '\r')
			answer->chunk_left =
			    answer->chunk_left * 16 + hex_value(byte);
		break;
	case ANSWER_BEHIND_CHUNK:
		if (byte == '\n')
			answer->place = ANSWER_CHUNK_SIZE;
		break;
	case ANSWER_CHUNK:
	case ANSWER_PLAIN:
		break;
	}
}

void
answer_take(struct answer *answer, const char *bytes, size_t len,
    answer_on_body *on_body, void *context)
{
	while (len > 0) {
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
