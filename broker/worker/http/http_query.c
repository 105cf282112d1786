/*
 * http_query: what a request says in its query and in its header values.
 * See http.h.
 */
#include <string.h>
#include <strings.h>

#include "broker/worker/http/http.h"
#include "broker/worker/http/http_text.h"

struct slice
http_header(const struct http_request *request, const char *name, size_t *count)
{
	struct slice value = {NULL, 0};
	size_t found = 0;

	for (size_t i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->headers[i];

		if (!http_text_is(header->name, name))
			continue;
		if (found++ == 0)
			value = header->value;
	}
	if (count != NULL)
		*count = found;
	return value;
}

/* --- what is accepted (RFC 9110, 12.4.2 and 12.5.1) --- */

enum { WEIGHT_FULL = 1000 };

/* "q=0.5" is 500; what is no weight counts as none given. */
static int
weight_of(struct slice parameter)
{
	int weight = 0, scale = WEIGHT_FULL;

	if (parameter.len < 3 || (parameter.bytes[0] | 0x20) != 'q' ||
	    parameter.bytes[1] != '=')
		return WEIGHT_FULL;
	for (size_t i = 2; i < parameter.len; i++) {
		char c = parameter.bytes[i];

		if (i == 3 ? c != '.' : c < '0' || c > '9')
			return WEIGHT_FULL;
		if (i == 3)
			continue;
		weight += (c - '0') * scale;
		scale /= 10;
	}
	return weight < WEIGHT_FULL ? weight : WEIGHT_FULL;
}

/* How much one media type is wanted. */
struct wanted {
	int words;  /* of it that are named: 2, 1 for a type/ and a star, 0; -1:
		       nothing */
	int weight; /* thousandths */
};

/* How many words of a media type this range names; -1: another one. */
static int
words_named(struct slice range, const char *media_type)
{
	const char *slash = strchr(media_type, '/');
	size_t len = (size_t)(slash + 1 - media_type);

	if (http_text_is(range, media_type))
		return 2;
	if (slice_is(range, "*/*"))
		return 0;
	return range.len == len + 1 && range.bytes[len] == '*' &&
		       strncasecmp(range.bytes, media_type, len) == 0
		   ? 1
		   : -1;
}

/* One element of an Accept header: "type/subtype;parameter;..." */
static struct wanted
range_wants(struct slice range, const char *media_type)
{
	struct wanted wanted = {.words = -1};
	struct slice part;

	if (!http_text_next(&range, ';', &part))
		return wanted;
	wanted.words = words_named(slice_trim(part), media_type);
	wanted.weight = wanted.words >= 0 ? WEIGHT_FULL : 0;
	while (wanted.words >= 0 && http_text_next(&range, ';', &part)) {
		int weight = weight_of(slice_trim(part));

		if (weight < wanted.weight)
			wanted.weight = weight;
	}
	return wanted;
}

/* The range that names most of it counts; of several such, the heaviest. */
static struct wanted
find_wanted(const struct http_request *request, const char *media_type)
{
	struct wanted most = {.words = -1};

	for (size_t i = 0; i < request->header_count; i++) {
		struct slice value = request->headers[i].value;
		struct slice range;

		if (!http_text_is(request->headers[i].name, "accept"))
			continue;
		while (http_text_next(&value, ',', &range)) {
			struct wanted wanted = range_wants(range, media_type);

			if (wanted.words < most.words ||
			    (wanted.words == most.words &&
				wanted.weight <= most.weight))
				continue;
			most = wanted;
		}
	}
	return most;
}

bool
http_accepts(const struct http_request *request, const char *media_type)
{
	struct wanted wanted = find_wanted(request, media_type);

	return wanted.words == 2 && wanted.weight > 0;
}

bool
http_prefers_json(const struct http_request *request)
{
	struct wanted json = find_wanted(request, "application/json");
	struct wanted stream = find_wanted(request, "text/event-stream");

	if (json.words < 0 || json.weight == 0)
		return false;
	return json.weight != stream.weight ? json.weight > stream.weight
					    : json.words > stream.words;
}

/* --- codings (RFC 9110, 12.5.3) --- */

/* The weights that Accept-Encoding headers give to codings; -1: none. Of
 * several, the heaviest counts. */
struct codings {
	int named[CODING_COUNT];
	int others; /* the star */
};

/* NULL: it is of no coding that is known. */
static int *
find_weight(struct codings *codings, struct slice name)
{
	if (slice_is(name, "*"))
		return &codings->others;
	if (http_text_is(name, "x-gzip"))
		return &codings->named[CODING_GZIP];
	for (size_t i = 0; i < CODING_COUNT; i++) {
		if (http_text_is(name, coding_name((enum coding)i)))
			return &codings->named[i];
	}
	return NULL;
}

/* One element: "coding;q=weight" */
static void
note_coding(struct codings *codings, struct slice element)
{
	struct slice name, parameter;
	int weight = WEIGHT_FULL;
	int *noted;

	if (!http_text_next(&element, ';', &name))
		return;
	noted = find_weight(codings, slice_trim(name));
	if (noted == NULL)
		return;
	while (http_text_next(&element, ';', &parameter)) {
		int said = weight_of(slice_trim(parameter));

		if (said < weight)
			weight = said;
	}
	if (weight > *noted)
		*noted = weight;
}

static struct codings
read_codings(const struct http_request *request)
{
	struct codings codings = {.others = -1};

	memset(codings.named, -1, sizeof(codings.named));
	for (size_t i = 0; i < request->header_count; i++) {
		struct slice value = request->headers[i].value;
		struct slice element;

		if (!http_text_is(request->headers[i].name, "accept-encoding"))
			continue;
		while (http_text_next(&value, ',', &element))
			note_coding(&codings, element);
	}
	return codings;
}

enum coding
http_find_coding(const struct http_request *request, unsigned offered)
{
	struct codings codings = read_codings(request);
	int most = codings.named[CODING_NONE];
	enum coding best = CODING_NONE;

	for (enum coding i = CODING_NONE + 1; i < CODING_COUNT; i++) {
		bool named = codings.named[i] >= 0;
		int weight = named ? codings.named[i] : codings.others;

		if ((offered & 1U << i) == 0 || weight <= 0 || weight < most)
			continue;
		if (weight == most && best != CODING_NONE && !named)
			continue;
		best = i;
		most = weight;
	}
	return best;
}

enum http_expect
http_expect(const struct http_request *request)
{
	size_t count;
	struct slice value = http_header(request, "expect", &count);

	if (count == 0 || request->minor == 0)
		return HTTP_EXPECT_NOTHING;
	return count == 1 && http_text_is(value, "100-continue")
		   ? HTTP_EXPECT_CONTINUE
		   : HTTP_EXPECT_OTHER;
}

/* The byte that the escape at the start of text stands for; -1 for none. */
static int
unescape(struct slice text)
{
	int high, low;

	if (text.len < 3)
		return -1;
	high = http_text_hex(text.bytes[1]);
	low = http_text_hex(text.bytes[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Decodes '+' and percent escapes; out has room for text.len bytes. */
static int
decode(struct slice text, char *out, size_t *out_len)
{
	size_t len = 0;
	int byte;

	for (size_t i = 0; i < text.len; i++) {
		switch (text.bytes[i]) {
		case '+':
			out[len++] = ' ';
			break;
		case '%':
			byte = unescape(slice_of(text.bytes + i, text.len - i));
			if (byte <= 0)
				return -1;
			out[len++] = (char)byte;
			i += 2;
			break;
		default:
			out[len++] = text.bytes[i];
		}
	}
	*out_len = len;
	return 0;
}

int
http_query_next(struct slice *query, char *name, size_t *name_len, char *value,
    size_t *value_len)
{
	struct slice pair, left = {NULL, 0};

	do {
		if (!http_text_next(query, '&', &pair))
			return 0;
	} while (pair.len == 0);
	http_text_next(&pair, '=', &left);
	if (decode(left, name, name_len) < 0 ||
	    decode(pair, value, value_len) < 0)
		return -1;
	return 1;
}
