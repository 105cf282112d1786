/* filter: which events a stream takes. See filter.h. */
#include "broker/shared/filter.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/event.h"

/* A pattern may name a type or a key. */
_Static_assert((int)EVENT_TYPE_MAX == (int)EVENT_KEY_MAX,
    "filter_pattern_valid() has one length for both");

/* One pattern, without its '!' and its star. */
struct part {
	struct slice text;
	bool negative;
	bool prefix;
};

struct group {
	size_t first; /* of its parts */
	size_t count;
	bool closed; /* something must name what is asked about */
	enum filter_field field;
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

/* Memory for a filter with so much in it. */
struct size {
	size_t groups;
	size_t parts;
	size_t text; /* bytes */
};

static void
add_list(struct size *size, const struct filter_list *list)
{
	size->groups++;
	size->parts += list->count;
	for (size_t i = 0; i < list->count; i++)
		size->text += list->patterns[i].len;
}

static void
add_group(
    struct size *size, const struct group *group, const struct part *parts)
{
	size->groups++;
	size->parts += group->count;
	for (size_t i = 0; i < group->count; i++)
		size->text += parts[i].text.len;
}

/* A filter that is being made. */
struct making {
	struct filter *filter;
	size_t parts; /* so far */
	char *text;   /* the next byte */
};

static bool
begin(struct making *making, const struct size *size)
{
	struct filter *filter =
	    malloc(sizeof(*filter) + size->groups * sizeof(struct group) +
		   size->parts * sizeof(struct part) + size->text);

	*making = (struct making){.filter = filter};
	if (filter == NULL)
		return false;
	filter->group_count = 0;
	filter->groups = (struct group *)(void *)(filter + 1);
	filter->parts = (struct part *)(void *)(filter->groups + size->groups);
	making->text = (char *)(filter->parts + size->parts);
	return true;
}

static struct group *
begin_group(struct making *making, bool closed, enum filter_field field)
{
	struct filter *filter = making->filter;
	struct group *group = &filter->groups[filter->group_count++];

	*group = (struct group){
	    .first = making->parts, .closed = closed, .field = field};
	return group;
}

static void
copy_part(struct making *making, struct group *group, struct part part)
{
	if (part.text.len > 0)
		memcpy(making->text, part.text.bytes, part.text.len);
	part.text.bytes = making->text;
	making->text += part.text.len;
	making->filter->parts[making->parts++] = part;
	group->count++;
}

static void
copy_list(struct making *making, const struct filter_list *list)
{
	struct group *group = begin_group(making, list->closed, list->field);

	for (size_t i = 0; i < list->count; i++) {
		struct part part = read_part(list->patterns[i]);

		group->closed |= !part.negative;
		copy_part(making, group, part);
	}
}

static void
copy_group(
    struct making *making, const struct group *other, const struct part *parts)
{
	struct group *group = begin_group(making, other->closed, other->field);

	for (size_t i = 0; i < other->count; i++)
		copy_part(making, group, parts[i]);
}

struct filter *
filter_create(const struct filter_list *lists, size_t count)
{
	struct size size = {.groups = 0};
	struct making making;

	for (size_t i = 0; i < count; i++)
		add_list(&size, &lists[i]);
	if (!begin(&making, &size))
		return NULL;
	for (size_t i = 0; i < count; i++)
		copy_list(&making, &lists[i]);
	return making.filter;
}

struct filter *
filter_renew(const struct filter *filter,
    const struct filter_list *const *lists, size_t count)
{
	struct size size = {.groups = 0};
	struct making making;

	for (size_t i = 0; i < count; i++) {
		if (lists[i] != NULL)
			add_list(&size, lists[i]);
		else
			add_group(&size, &filter->groups[i],
			    filter->parts + filter->groups[i].first);
	}
	if (!begin(&making, &size))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (lists[i] != NULL)
			copy_list(&making, lists[i]);
		else
			copy_group(&making, &filter->groups[i],
			    filter->parts + filter->groups[i].first);
	}
	return making.filter;
}

bool
filter_takes_all(const struct filter *filter)
{
	for (size_t i = 0; i < filter->group_count; i++) {
		if (filter->groups[i].closed || filter->groups[i].count > 0)
			return false;
	}
	return true;
}

void
filter_destroy(struct filter *filter)
{
	free(filter);
}

static bool
names(const struct part *part, struct slice text)
{
	return part->prefix ? slice_starts_with(text, part->text)
			    : slice_equal(text, part->text);
}

static bool
group_passes(
    const struct group *group, const struct part *parts, struct slice text)
{
	bool named = !group->closed;

	for (size_t i = 0; i < group->count; i++) {
		if (!names(&parts[i], text))
			continue;
		if (parts[i].negative)
			return false;
		named = true;
	}
	return named;
}

bool
filter_passes(const struct filter *filter, struct slice type, struct slice key)
{
	if (filter == NULL)
		return true;
	for (size_t i = 0; i < filter->group_count; i++) {
		const struct group *group = &filter->groups[i];

		if (!group_passes(group, filter->parts + group->first,
			group->field == FILTER_KEY ? key : type))
			return false;
	}
	return true;
}
