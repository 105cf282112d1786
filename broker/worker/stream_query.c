/* stream_query: the query of a stream. See stream_query.h. */
#include "broker/worker/stream_query.h"

#include <stdlib.h>

#include "broker/shared/config.h"
#include "broker/worker/http.h"

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
	    {"lastEventId", &query->last_event_id},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (name.len > 0 && slice_is(name, members[i].name))
			return members[i].value;
	}
	return NULL;
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
