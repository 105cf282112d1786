/* notice: what a stream says by itself. See notice.h. */
#include "broker/shared/notice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/buf.h"
#include "protocol/event.h"
#include "protocol/utf8.h"

static const char *const placeholders[NOTICE_PLACEHOLDER_COUNT] = {
    [NOTICE_CHANNELS] = "{channels}",
    [NOTICE_REFUSED] = "{refused}",
    [NOTICE_CURSOR] = "{cursor}",
    [NOTICE_TS] = "{ts}",
    [NOTICE_STREAM] = "{stream}",
    [NOTICE_USER] = "{user}",
    [NOTICE_HEARTBEAT] = "{heartbeat}",
};

/* The length of the "{word}" at the start of the text; 0: there is none. */
static size_t
placeholder_len(struct slice text)
{
	size_t len = 1;

	if (text.len == 0 || text.bytes[0] != '{')
		return 0;
	while (
	    len < text.len && text.bytes[len] >= 'a' && text.bytes[len] <= 'z')
		len++;
	return len > 1 && len < text.len && text.bytes[len] == '}' ? len + 1
								   : 0;
}

/*
 * Cuts *text behind its next placeholder: *before is what stands before it.
 * False: there is none, and *before is all of the text.
 */
static bool
next_placeholder(
    struct slice *text, struct slice *before, struct slice *placeholder)
{
	struct slice rest = *text;
	const char *brace;

	while (rest.len > 0 &&
	       (brace = memchr(rest.bytes, '{', rest.len)) != NULL) {
		size_t at = (size_t)(brace - text->bytes);
		size_t len;

		rest = slice_of(brace, text->len - at);
		len = placeholder_len(rest);
		if (len > 0) {
			*before = slice_of(text->bytes, at);
			*placeholder = slice_of(brace, len);
			*text = slice_of(brace + len, rest.len - len);
			return true;
		}
		rest = slice_of(brace + 1, rest.len - 1);
	}
	*before = *text;
	return false;
}

static enum notice_placeholder
find_placeholder(struct slice text)
{
	int i = 0;

	while (i < NOTICE_PLACEHOLDER_COUNT && !slice_is(text, placeholders[i]))
		i++;
	return (enum notice_placeholder)i;
}

static void
expect_placeholders(
    unsigned allowed, struct slice got, char *expected, size_t size)
{
	size_t len = (size_t)snprintf(expected, size, "one of");

	for (int i = 0; i < NOTICE_PLACEHOLDER_COUNT && len < size; i++) {
		if ((allowed & 1U << i) != 0)
			len += (size_t)snprintf(
			    expected + len, size - len, " %s", placeholders[i]);
	}
	if (len < size)
		snprintf(expected + len, size - len, " in place of %.*s",
		    (int)(got.len < 32 ? got.len : 32), got.bytes);
}

static bool
placeholders_allowed(
    struct slice text, unsigned allowed, char *expected, size_t size)
{
	struct slice before, placeholder;

	while (next_placeholder(&text, &before, &placeholder)) {
		enum notice_placeholder found = find_placeholder(placeholder);

		if (found < NOTICE_PLACEHOLDER_COUNT &&
		    (allowed & 1U << found) != 0)
			continue;
		expect_placeholders(allowed, placeholder, expected, size);
		return false;
	}
	return true;
}

/* The first word of the text, which is cut off with the spaces behind it. */
static struct slice
cut_word(struct slice *text)
{
	struct slice word = *text;

	word.len = 0;
	while (word.len < text->len && text->bytes[word.len] != ' ' &&
	       text->bytes[word.len] != '\t')
		word.len++;
	*text =
	    slice_trim(slice_of(text->bytes + word.len, text->len - word.len));
	return word;
}

static bool
read_kind(struct slice word, enum notice_kind *kind)
{
	static const char *const words[] = {
	    [NOTICE_NONE] = "none",
	    [NOTICE_COMMENT] = "comment",
	    [NOTICE_DATA] = "data",
	    [NOTICE_EVENT] = "event",
	};

	for (int i = NOTICE_NONE; i <= NOTICE_EVENT; i++) {
		if (slice_is(word, words[i])) {
			*kind = (enum notice_kind)i;
			return true;
		}
	}
	return false;
}

static int
copy(char **copied, struct slice text)
{
	*copied = strndup(text.bytes, text.len);
	return *copied == NULL ? -1 : 0;
}

static int
invalid(void)
{
	errno = EINVAL;
	return -1;
}

int
notice_read(struct notice *notice, struct slice text, unsigned allowed,
    char *expected, size_t size)
{
	struct slice word = cut_word(&text), name = {NULL, 0};

	*notice = (struct notice){.kind = NOTICE_NONE};
	expected[0] = '\0';
	if (!read_kind(word, &notice->kind))
		return invalid();
	if (notice->kind == NOTICE_NONE || notice->kind == NOTICE_COMMENT)
		return text.len == 0 ? 0 : invalid();
	if (notice->kind == NOTICE_EVENT) {
		name = cut_word(&text);
		if (name.len == 0 || name.len > EVENT_TYPE_MAX)
			return invalid();
	}
	if (text.len == 0 || !utf8_valid(text.bytes, text.len) ||
	    !utf8_valid(name.bytes, name.len))
		return invalid();
	if (!placeholders_allowed(text, allowed, expected, size))
		return invalid();
	if (copy(&notice->text, text) == -1 ||
	    (name.len > 0 && copy(&notice->name, name) == -1)) {
		notice_finish(notice);
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

void
notice_finish(struct notice *notice)
{
	free(notice->name);
	free(notice->text);
	notice->name = notice->text = NULL;
}

void
notice_append_text(struct buf *buf, const struct notice *notice,
    void (*append)(struct buf *buf, enum notice_placeholder placeholder,
	const void *context),
    const void *context)
{
	struct slice text = slice_of_text(notice->text);
	struct slice before, placeholder;

	while (next_placeholder(&text, &before, &placeholder)) {
		buf_append(buf, before.bytes, before.len);
		append(buf, find_placeholder(placeholder), context);
	}
	buf_append(buf, before.bytes, before.len);
}
