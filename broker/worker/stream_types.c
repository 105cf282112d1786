/* stream_types: which types of events a stream takes. See stream_types.h. */
#include "broker/worker/stream_types.h"

#include <errno.h>

#include "broker/shared/auth_template.h"
#include "broker/shared/config.h"
#include "broker/shared/filter.h"
#include "broker/worker/patterns.h"
#include "broker/worker/stream_query.h"
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

static int
read_asked(struct filter_list *list, struct slice *patterns, struct slice asked)
{
	struct slice pattern;

	*list = (struct filter_list){.patterns = patterns};
	if (asked.len == 0)
		return 0;
	while (stream_query_next_item(&asked, &pattern)) {
		if (list->count == FILTER_PATTERNS_MAX ||
		    !filter_pattern_valid(pattern)) {
			errno = EINVAL;
			return -1;
		}
		patterns[list->count++] = pattern;
	}
	return 0;
}

int
stream_types_make(struct filter **filter, const struct config_stream *block,
    const struct auth_token *token, struct slice asked)
{
	struct slice patterns[FILTER_PATTERNS_MAX];
	struct filter_list lists[2];
	struct patterns own = {.count = 0};
	int result;

	*filter = NULL;
	if (read_asked(&lists[1], patterns, asked) == -1)
		return -1;
	if (block->types.count + lists[1].count == 0)
		return 0;
	result = fill_own(&own, &lists[0], block, token);
	if (result == 0) {
		*filter = filter_create(lists, 2);
		result = *filter == NULL ? -1 : 0;
	}
	if (result == -1)
		errno = ENOMEM;
	patterns_finish(&own);
	return result;
}

int
stream_types_renew(
    struct subscriber *subscriber, const struct auth_token *token)
{
	struct filter *renewed = NULL;
	struct patterns own = {.count = 0};
	struct filter_list list;

	if (subscriber->block->types.count == 0)
		return 0;
	if (fill_own(&own, &list, subscriber->block, token) == 0)
		renewed = filter_renew(subscriber->filter, &list);
	patterns_finish(&own);
	if (renewed == NULL)
		return -1;
	filter_destroy(subscriber->filter);
	subscriber->filter = renewed;
	return 0;
}
