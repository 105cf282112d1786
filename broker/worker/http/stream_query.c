/* stream_query: the query of a stream. See stream_query.h. */
#include "broker/worker/http/stream_query.h"

#include <stdlib.h>

#include "broker/shared/config.h"
#include "broker/worker/http/http.h"

/* Where the value of a parameter belongs; NULL: nowhere. */
static struct slice *
member_of(struct stream_query *query, const struct config_stream *block,
    struct slice name)
{
	const struct {
		const char *name;
		struct slice *value;
	} members[] = {
	    {block->query_channels, &query->channels},
	    {block->query_since, &query->since},
	    {block->query_types, &query->types},
	    {block->query_keys, &query->keys},
	    {block->query_format, &query->format},
	    {block->query_live, &query->live},
	    {block->query_window, &query->window},
	    {block->query_limit, &query->limit},
	    {block->query_conflate, &query->conflate},
	    {"lastEventId", &query->last_event_id},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (name.len > 0 && slice_is(name, members[i].name))
			return members[i].value;
	}
	return NULL;
}

/* In a query a plus that is not escaped is a space, which no cursor and no time
 * has: 2026-01-31T13:00:00+01:00 is meant. */
static void
restore_plus(char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (value[i] == ' ')
			value[i] = '+';
	}
}

int
stream_query_read(struct stream_query *query, const struct config_stream *block,
    struct slice text, enum problem *problem)
{
	int result;

	*query = (struct stream_query){.used = 0};
	/* Values never take more than the query; one pair needs twice that. */
	query->text = malloc(3 * text.len + 1);
	*problem = PROBLEM_NO_MEMORY;
	if (query->text == NULL)
		return -1;
	for (;;) {
		char *name = query->text + query->used;
		char *value = name + text.len;
		size_t name_len, value_len;
		struct slice *member;

		result =
		    http_query_next(&text, name, &name_len, value, &value_len);
		if (result != 1)
			break;
		member = member_of(query, block, slice_of(name, name_len));
		if (member == NULL)
			continue;
		*problem = PROBLEM_QUERY_DUPLICATE;
		if (member->bytes != NULL)
			return -1;
		memmove(name, value, value_len);
		if (member == &query->since || member == &query->last_event_id)
			restore_plus(name, value_len);
		*member = slice_of(name, value_len);
		query->used += value_len;
	}
	*problem = PROBLEM_QUERY_INVALID;
	return result;
}

void
stream_query_finish(struct stream_query *query)
{
	free(query->text);
	query->text = NULL;
}

bool
stream_query_read_time(struct slice text, uint32_t max_ms, uint32_t *ms)
{
	static const struct {
		const char *name;
		uint32_t ms;
	} units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}};
	uint32_t number = 0;
	size_t digits = 0;

	for (; digits < text.len && text.bytes[digits] >= '0' &&
	       text.bytes[digits] <= '9';
	     digits++) {
		number = number * 10 + (uint32_t)(text.bytes[digits] - '0');
		if (number > max_ms)
			return false;
	}
	if (digits == 0)
		return false;
	text = slice_of(text.bytes + digits, text.len - digits);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!slice_is(text, units[i].name) ||
		    number > max_ms / units[i].ms)
			continue;
		*ms = number * units[i].ms;
		return true;
	}
	return false;
}

bool
stream_query_next_item(struct slice *list, struct slice *item)
{
	const char *comma;

	if (list->bytes == NULL)
		return false;
	comma = list->len > 0 ? memchr(list->bytes, ',', list->len) : NULL;
	*item = *list;
	if (comma == NULL) {
		*list = slice_of(NULL, 0);
		return true;
	}
	item->len = (size_t)(comma - list->bytes);
	*list = slice_of(comma + 1, list->len - item->len - 1);
	return true;
}
