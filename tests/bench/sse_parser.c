/* sse_parser: an event stream, byte by byte. See sse_parser.h. */
#include "tests/bench/sse_parser.h"

#include <string.h>

static void
dispatch(struct sse_parser *parser, sse_on_event *on_event, void *context)
{
	if (parser->has_data) {
		parser->data[parser->data_len] = '\0';
		on_event(parser->type, parser->data, context);
	}
	parser->has_data = false;
	parser->data_len = 0;
	parser->type[0] = '\0';
}

static void
add_data(struct sse_parser *parser, const char *value, size_t len)
{
	size_t room;

	if (parser->has_data && parser->data_len < SSE_KEPT)
		parser->data[parser->data_len++] = '\n';
	room = SSE_KEPT - parser->data_len;
	len = len < room ? len : room;
	memcpy(parser->data + parser->data_len, value, len);
	parser->data_len += len;
	parser->has_data = true;
}

static void
take_line(struct sse_parser *parser, sse_on_event *on_event, void *context)
{
	const char *line = parser->line, *value;
	size_t len = parser->line_len < SSE_KEPT ? parser->line_len : SSE_KEPT;
	const char *colon = memchr(line, ':', len);
	size_t name = colon == NULL ? len : (size_t)(colon - line);
	size_t value_len;

	parser->line_len = 0;
	if (len == 0) {
		dispatch(parser, on_event, context);
		return;
	}
	value = line + name + (colon != NULL);
	value_len = len - (size_t)(value - line);
	if (value_len > 0 && *value == ' ') {
		value++;
		value_len--;
	}
	if (name == 4 && memcmp(line, "data", 4) == 0) {
		add_data(parser, value, value_len);
	} else if (name == 5 && memcmp(line, "event", 5) == 0) {
		value_len = value_len < SSE_TYPE ? value_len : SSE_TYPE - 1;
		memcpy(parser->type, value, value_len);
		parser->type[value_len] = '\0';
	}
}

static void
keep(struct sse_parser *parser, const char *bytes, size_t len)
{
	if (parser->line_len < SSE_KEPT) {
		size_t room = SSE_KEPT - parser->line_len;

		memcpy(parser->line + parser->line_len, bytes,
		    len < room ? len : room);
	}
	parser->line_len += len;
}

/* Where the first line ends within these bytes; NULL: it goes on. */
static const char *
line_end(const char *bytes, size_t len)
{
	const char *lf = memchr(bytes, '\n', len);
	size_t before = lf == NULL ? len : (size_t)(lf - bytes);
	const char *cr = memchr(bytes, '\r', before);

	return cr != NULL ? cr : lf;
}

/* How many of these bytes belong to a byte order mark, or what may become one;
 * if it does not, it is a part of the first line. */
static size_t
skip_bom(struct sse_parser *parser, const char *bytes, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t skipped = 0;

	while (parser->bom < 3 && skipped < len) {
		if (bytes[skipped] != mark[parser->bom]) {
			keep(parser, mark, parser->bom);
			parser->bom = 3;
			break;
		}
		parser->bom++;
		skipped++;
	}
	return skipped;
}

void
sse_parser_take(struct sse_parser *parser, const char *bytes, size_t len,
    sse_on_event *on_event, void *context)
{
	size_t skipped = skip_bom(parser, bytes, len);

	bytes += skipped;
	len -= skipped;
	while (len > 0) {
		const char *end;

		if (parser->carriage && *bytes == '\n') {
			bytes++;
			len--;
		}
		parser->carriage = false;
		if (len == 0)
			return;
		end = line_end(bytes, len);
		if (end == NULL) {
			keep(parser, bytes, len);
			return;
		}
		keep(parser, bytes, (size_t)(end - bytes));
		parser->carriage = *end == '\r';
		take_line(parser, on_event, context);
		len -= (size_t)(end + 1 - bytes);
		bytes = end + 1;
	}
}
