/*
 * Fuzzes the query of a request: pairs fit their room and come to an end; and
 * what a stream makes of them, its lists of types and keys with it.
 */
#include "broker/shared/config.h"
#include "broker/shared/filter.h"
#include "broker/worker/http/http.h"
#include "broker/worker/http/stream_query.h"
#include "tests/fuzz/fuzz.h"

static void
check_pairs(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_copy(data, size);
	char *name = fuzz_copy(data, size);
	char *value = fuzz_copy(data, size);
	struct slice query = {bytes, size};
	size_t name_len, value_len;
	int result;

	do {
		size_t before = query.len;

		name_len = value_len = 0;
		result =
		    http_query_next(&query, name, &name_len, value, &value_len);
		must(result >= -1 && result <= 1);
		must(query.len <= before);
		must(result != 1 || query.len < before);
		must(result != 0 || query.len == 0);
		if (result != 1)
			break;
		must(name_len + value_len <= before - query.len);
		must(name_len == 0 || memchr(name, '\0', name_len) == NULL ||
		     memchr(bytes, '\0', size) != NULL);
		must(value_len == 0 || memchr(value, '\0', value_len) == NULL ||
		     memchr(bytes, '\0', size) != NULL);
	} while (result == 1);
	free(bytes);
	free(name);
	free(value);
}

/* Names so short that they are met. */
static struct config_stream block = {
    .query_channels = (char[]){"c"},
    .query_since = (char[]){""},
    .query_types = (char[]){"t"},
    .query_keys = (char[]){"k"},
    .query_format = (char[]){"f"},
    .query_limit = (char[]){"n"},
    .query_live = (char[]){"l"},
    .query_window = (char[]){"w"},
    .query_conflate = (char[]){"a"},
};

static void
check_filter(struct slice list, enum filter_field field)
{
	const struct slice none = {NULL, 0};
	struct slice patterns[FILTER_PATTERNS_MAX], pattern;
	struct filter_list one = {patterns, 0, false, field};
	struct filter *filter;

	while (one.count < FILTER_PATTERNS_MAX &&
	       stream_query_next_item(&list, &pattern)) {
		must(pattern.len == 0 || pattern.bytes != NULL);
		if (!filter_pattern_valid(pattern))
			continue;
		patterns[one.count++] = pattern;
	}
	filter = filter_create(&one, 1);
	must(filter != NULL);
	for (size_t i = 0; i < one.count; i++) {
		bool negative = patterns[i].bytes[0] == '!';
		struct slice named = slice_of(
		    patterns[i].bytes + negative, patterns[i].len - negative);
		bool passes = field == FILTER_KEY
				  ? filter_passes(filter, none, named)
				  : filter_passes(filter, named, none);

		must(!negative || !passes);
		must(negative || one.count > 1 || passes);
	}
	filter_destroy(filter);
}

static void
check_time(struct slice text)
{
	uint32_t ms = UINT32_MAX;

	must(stream_query_read_time(text, 60000, &ms) == (ms <= 60000));
}

static void
check_stream(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_copy(data, size);
	struct stream_query query;
	enum problem problem;

	if (stream_query_read(
		&query, &block, slice_of(bytes, size), &problem) == 0) {
		must(query.since.bytes == NULL);
		must(query.channels.len + query.types.len + query.keys.len +
			 query.format.len + query.live.len + query.window.len +
			 query.limit.len + query.conflate.len +
			 query.last_event_id.len <=
		     size);
		check_time(query.window);
		check_time(query.conflate);
		if (query.types.len > 0)
			check_filter(query.types, FILTER_TYPE);
		if (query.keys.len > 0)
			check_filter(query.keys, FILTER_KEY);
	} else {
		must(problem == PROBLEM_QUERY_DUPLICATE ||
		     problem == PROBLEM_QUERY_INVALID);
	}
	stream_query_finish(&query);
	free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_pairs(data, size);
	check_stream(data, size);
	return 0;
}
