/* stream_filter: which events a stream takes. See stream_filter.h. */
#include "broker/worker/stream/stream_filter.h"

#include "broker/shared/auth_template.h"
#include "broker/shared/config.h"
#include "broker/worker/cursor/patterns.h"
#include "broker/worker/facts.h"
#include "broker/worker/http/stream_query.h"
#include "broker/worker/subscriber.h"

/* Patterns of types that are being filled in. */
struct filling {
	struct patterns *list;
	bool prefix; /* a star is to be put behind each */
	int result;
};

static void
add(struct slice pattern, void *context)
{
	struct filling *filling = context;
	char text[EVENT_CHANNEL_MAX + 1];

	if (filling->result == -1)
		return;
	memcpy(text, pattern.bytes, pattern.len);
	if (filling->prefix)
		text[pattern.len++] = '*';
	filling->result =
	    patterns_add(filling->list, slice_of(text, pattern.len));
}

/* A template for channels does for types, but for the star at its end. */
static int
fill(struct patterns *list, const char *item, const struct auth_token *token)
{
	struct filling filling = {.list = list};
	struct slice template = slice_of_text(item);

	if (strchr(item, '{') == NULL)
		return patterns_add(list, template);
	filling.prefix = item[template.len - 1] == '*';
	if (filling.prefix)
		template.len--;
	auth_template_fill(template, token, add, &filling);
	return filling.result;
}

/* Fills the block's list. It stays closed when the claims that were to open
 * it are missing. */
static int
fill_own(struct patterns *own, struct filter_list *list,
    const struct config_stream *block, const struct auth_token *token)
{
	list->closed = false;
	for (size_t i = 0; i < block->types.count; i++) {
		const char *item = block->types.items[i];

		if (fill(own, item, token) == -1)
			return -1;
		list->closed |= item[0] != '!';
	}
	list->patterns = own->list;
	list->count = own->count;
	return 0;
}

/* --- what is asked for --- */

bool
stream_wish_add(struct stream_wish *wish, struct slice pattern)
{
	wish->said = true;
	if (wish->count == FILTER_PATTERNS_MAX ||
	    !filter_pattern_valid(pattern))
		return false;
	wish->patterns[wish->count++] = pattern;
	return true;
}

bool
stream_wish_read(struct stream_wish *wish, struct slice list)
{
	struct slice pattern;

	if (list.len == 0)
		return true;
	while (stream_query_next_item(&list, &pattern)) {
		if (!stream_wish_add(wish, pattern))
			return false;
	}
	return true;
}

static struct filter_list
list_of(const struct stream_wish *wish, enum filter_field field)
{
	return (struct filter_list){
	    .patterns = wish->patterns, .count = wish->count, .field = field};
}

/* --- the filter --- */

/* The lists that every filter is made of. */
enum { OWN_TYPES, ASKED_TYPES, ASKED_KEYS, LISTS };

/* *filter gets the old one with what is said in place of what was; NULL when
 * all is taken. The old one stays the caller's. 0 or -1. */
static int
renew(struct filter **filter, const struct filter *old,
    const struct filter_list *own, const struct stream_wish *types,
    const struct stream_wish *keys)
{
	const struct filter_list asked_types = list_of(types, FILTER_TYPE);
	const struct filter_list asked_keys = list_of(keys, FILTER_KEY);
	const struct filter_list *lists[LISTS] = {
	    [OWN_TYPES] = own,
	    [ASKED_TYPES] = types->said || old == NULL ? &asked_types : NULL,
	    [ASKED_KEYS] = keys->said || old == NULL ? &asked_keys : NULL,
	};

	*filter = filter_renew(old, lists, LISTS);
	if (*filter == NULL)
		return -1;
	if (filter_takes_all(*filter)) {
		filter_destroy(*filter);
		*filter = NULL;
	}
	return 0;
}

static int
make(struct filter **filter, const struct filter *old,
    const struct config_stream *block, const struct auth_token *token,
    const struct stream_wish *types, const struct stream_wish *keys)
{
	struct patterns own = {.count = 0};
	struct filter_list list = {.field = FILTER_TYPE};
	int result = fill_own(&own, &list, block, token);

	*filter = NULL;
	if (result == 0)
		result = renew(filter, old, &list, types, keys);
	patterns_finish(&own);
	return result;
}

int
stream_filter_make(struct filter **filter, const struct config_stream *block,
    const struct auth_token *token, const struct stream_wish *types,
    const struct stream_wish *keys)
{
	return make(filter, NULL, block, token, types, keys);
}

int
stream_filter_renew(const struct worker *worker, struct subscriber *subscriber,
    const struct auth_token *token, const struct stream_wish *types,
    const struct stream_wish *keys)
{
	struct filter *renewed;

	if (make(&renewed, subscriber->filter, subscriber->block, token, types,
		keys) == -1)
		return -1;
	if (subscriber->filter != NULL || renewed != NULL)
		facts_note_change(worker, subscriber);
	filter_destroy(subscriber->filter);
	subscriber->filter = renewed;
	subscriber_settle(subscriber);
	return 0;
}
