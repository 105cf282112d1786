/* filter: which events a stream takes, by their types. See filter.h. */
#include "broker/shared/filter.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/event.h"

/* One pattern, without its '!' and its star. */
struct part {
	struct slice text;
	bool negative;
	bool prefix;
};

struct group {
	size_t first; /* of its parts */
	size_t count;
	bool closed; /* something must name the type */
};

/* The groups, the parts and their texts lie behind it, in one piece. */
struct filter {
	size_t group_count;
	struct group *groups;
	struct part *parts;
};

static struct part
read_part(struct slice pattern)
{
	struct part part = {.text = pattern};

	if (pattern.len > 0 && pattern.bytes[0] == '!') {
		part.negative = true;
		part.text = slice_of(pattern.bytes + 1, pattern.len - 1);
	}
	if (part.text.len > 0 && part.text.bytes[part.text.len - 1] == '*') {
		part.prefix = true;
		part.text.len--;
	}
	return part;
}

bool
filter_pattern_valid(struct slice pattern)
{
	struct part part = read_part(pattern);

	if ((part.text.len == 0 && !part.prefix) ||
	    part.text.len > EVENT_TYPE_MAX)
		return false;
	for (size_t i = 0; i < part.text.len; i++) {
		unsigned char c = (unsigned char)part.text.bytes[i];

		if (c < 0x20 || c == 0x7F || memchr(",*!", c, 3) != NULL)
			return false;
	}
	return true;
}

static size_t
bytes_of(const struct filter_list *lists, size_t count)
{
	size_t bytes = sizeof(struct filter) + count * sizeof(struct group);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < lists[i].count; j++)
			bytes += sizeof(struct part) + lists[i].patterns[j].len;
	}
	return bytes;
}

/* Copies a list to the parts from *next on, its texts to *text on. */
static struct group
copy_list(struct filter *filter, const struct filter_list *list, size_t *next,
    char **text)
{
	struct group group = {*next, list->count, list->closed};

	for (size_t i = 0; i < list->count; i++) {
		struct part part = read_part(list->patterns[i]);

		if (part.text.len > 0)
			memcpy(*text, part.text.bytes, part.text.len);
		part.text.bytes = *text;
		*text += part.text.len;
		group.closed |= !part.negative;
		filter->parts[(*next)++] = part;
	}
	return group;
}

struct filter *
filter_create(const struct filter_list *lists, size_t count)
{
	struct filter *filter = malloc(bytes_of(lists, count));
	size_t part_count = 0, next = 0;
	char *text;

	if (filter == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		part_count += lists[i].count;
	filter->group_count = count;
	filter->groups = (struct group *)(void *)(filter + 1);
	filter->parts = (struct part *)(void *)(filter->groups + count);
	text = (char *)(filter->parts + part_count);
	for (size_t i = 0; i < count; i++)
		filter->groups[i] = copy_list(filter, &lists[i], &next, &text);
	return filter;
}

void
filter_destroy(struct filter *filter)
{
	free(filter);
}

static bool
names(const struct part *part, struct slice type)
{
	return part->prefix ? slice_starts_with(type, part->text)
			    : slice_equal(type, part->text);
}

static bool
group_passes(
    const struct group *group, const struct part *parts, struct slice type)
{
	bool named = !group->closed;

	for (size_t i = 0; i < group->count; i++) {
		if (!names(&parts[i], type))
			continue;
		if (parts[i].negative)
			return false;
		named = true;
	}
	return named;
}

bool
filter_passes(const struct filter *filter, struct slice type)
{
	if (filter == NULL)
		return true;
	for (size_t i = 0; i < filter->group_count; i++) {
		const struct group *group = &filter->groups[i];

		if (!group_passes(group, filter->parts + group->first, type))
			return false;
	}
	return true;
}
