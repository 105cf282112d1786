/*
 * auth_template: patterns with claims in them. See auth_template.h.
 *
 * A template is filled from left to right: what is written so far, and what is
 * left of the template, go down one call per placeholder, and come back for
 * the next value of its claim.
 */
#include "broker/shared/auth_template.h"

#include "broker/shared/auth_claims.h"
#include "broker/shared/auth_token.h"
#include "protocol/event.h"

/* What a placeholder is replaced by to look at the rest. */
static const char sample = 'x';

/* The place of the placeholder that comes first: from '{' to behind '}'. */
struct placeholder {
	size_t start;
	size_t end;
	struct slice name;
};

/* False: there is none. A brace that is not closed counts to the end. */
static bool
find_placeholder(struct slice text, struct placeholder *found)
{
	const char *open =
	    text.len > 0 ? memchr(text.bytes, '{', text.len) : NULL;
	const char *close;

	if (open == NULL)
		return false;
	found->start = (size_t)(open - text.bytes);
	close = memchr(open, '}', text.len - found->start);
	found->end =
	    close != NULL ? (size_t)(close - text.bytes) + 1 : text.len + 1;
	found->name = slice_of(open + 1, found->end - found->start - 2);
	return true;
}

/* --- is it one? --- */

/* Does the text between two placeholders begin a new segment? */
static bool
begins_segment(struct slice between)
{
	return between.len > 0 && memchr(between.bytes, ':', between.len);
}

bool
auth_template_valid(struct slice template, const char **why)
{
	char pattern[EVENT_CHANNEL_MAX];
	size_t len = 0, count = 0;
	struct placeholder next;

	*why = "it is not a channel or pattern";
	if (template.len > EVENT_CHANNEL_MAX)
		return false;
	for (; find_placeholder(template, &next); count++) {
		struct slice before = {template.bytes, next.start};

		if (next.end > template.len) {
			*why = "a brace is not closed";
			return false;
		}
		if (!auth_claim_name_valid(next.name)) {
			*why = "there is no name of a claim in braces";
			return false;
		}
		if (count == AUTH_TEMPLATE_PLACEHOLDERS_MAX) {
			*why = "there are more than 4 placeholders";
			return false;
		}
		if (count > 0 && !begins_segment(before)) {
			*why = "two placeholders are not divided by a colon";
			return false;
		}
		memcpy(pattern + len, before.bytes, before.len);
		len += before.len;
		pattern[len++] = sample;
		template = slice_of(
		    template.bytes + next.end, template.len - next.end);
	}
	if (template.len > 0)
		memcpy(pattern + len, template.bytes, template.len);
	return event_pattern_valid(slice_of(pattern, len + template.len));
}

/* --- filling --- */

/* What all calls for one template share. */
struct filling {
	const struct auth_claims *claims;
	void (*add)(struct slice pattern, void *context); /* NULL: only count */
	void *context;
	size_t count;
};

/* What is written, and what is to come. */
struct part {
	struct filling *filling;
	char text[EVENT_CHANNEL_MAX];
	size_t len;
	struct slice rest;
};

static bool
append(struct part *part, const char *bytes, size_t len)
{
	if (len > sizeof(part->text) - part->len)
		return false;
	if (len > 0)
		memcpy(part->text + part->len, bytes, len);
	part->len += len;
	return true;
}

static bool
stands_for_itself(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("_.@/-", c) != NULL);
}

static bool
append_value(struct part *part, struct slice value)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < value.len; i++) {
		unsigned char byte = (unsigned char)value.bytes[i];
		const char escape[3] = {'~', hex[byte >> 4], hex[byte & 15]};
		bool itself = stands_for_itself(value.bytes[i]);

		if (!append(part, itself ? &value.bytes[i] : escape,
			itself ? 1 : sizeof(escape)))
			return false;
	}
	return true;
}

static void fill_rest(const struct part *before);

/* One value of the placeholder that begins what is to come. */
static void
fill_value(struct slice value, void *context)
{
	struct part part = *(const struct part *)context;

	if (append_value(&part, value))
		fill_rest(&part);
}

static void
finish_pattern(struct filling *filling, struct slice pattern)
{
	if (filling->count > AUTH_TEMPLATE_PATTERNS_MAX ||
	    !event_pattern_valid(pattern))
		return;
	filling->count++;
	if (filling->add != NULL)
		filling->add(pattern, filling->context);
}

/* As deep as there are placeholders. */
static void
fill_rest(const struct part *before)
{
	struct part part = *before;
	struct placeholder next;

	if (!find_placeholder(part.rest, &next)) {
		if (append(&part, part.rest.bytes, part.rest.len))
			finish_pattern(
			    part.filling, slice_of(part.text, part.len));
		return;
	}
	if (part.filling->claims == NULL ||
	    part.filling->count > AUTH_TEMPLATE_PATTERNS_MAX ||
	    !append(&part, part.rest.bytes, next.start))
		return;
	part.rest =
	    slice_of(part.rest.bytes + next.end, part.rest.len - next.end);
	auth_claim_each(part.filling->claims, next.name, fill_value, &part);
}

int
auth_template_fill(struct slice template, const struct auth_token *token,
    void (*add)(struct slice pattern, void *context), void *context)
{
	struct filling filling = {
	    .claims = token != NULL ? token->claims : NULL,
	};
	struct part part = {.filling = &filling, .rest = template};

	/* Once to count: too many are none, not some of them. */
	fill_rest(&part);
	if (filling.count > AUTH_TEMPLATE_PATTERNS_MAX)
		return 0;
	filling.count = 0;
	filling.add = add;
	filling.context = context;
	fill_rest(&part);
	return (int)filling.count;
}
