/* config_notice_value: notices as types of settings. See config_value.h. */
#include <errno.h>
#include <string.h>

#include "broker/shared/config_value.h"

enum {
	ALWAYS = 1U << NOTICE_CHANNELS | 1U << NOTICE_CURSOR | 1U << NOTICE_TS |
		 1U << NOTICE_STREAM | 1U << NOTICE_USER |
		 1U << NOTICE_HEARTBEAT,
	IN_GREETING = ALWAYS | 1U << NOTICE_REFUSED,
};

static const char greeting[] =
    "event connected {\"stream\":{stream},\"channels\":{channels},"
    "\"refused\":{refused},\"cursor\":{cursor},\"heartbeat\":{heartbeat}}";
static const char live[] = "event live {\"cursor\":{cursor}}";

/* What one kind of notice may be. */
struct form {
	const char *standard; /* what that word stands for; NULL: nothing */
	unsigned allowed;     /* placeholders */
	bool comment;         /* it may be a comment */
};

static const struct form greeting_form = {greeting, IN_GREETING, false};
static const struct form live_form = {live, ALWAYS, false};
static const struct form heartbeat_form = {NULL, ALWAYS, true};

static int
read_notice(const struct form *form, const struct config_setting *setting,
    struct slice text, struct notice *notice,
    char expected[CONFIG_EXPECTED_SIZE])
{
	expected[0] = '\0';
	if (text.len > setting->max ||
	    (slice_is(text, "comment") && !form->comment)) {
		errno = EINVAL;
		return -1;
	}
	if (form->standard != NULL && slice_is(text, "standard"))
		text = slice_of_text(form->standard);
	return notice_read(
	    notice, text, form->allowed, expected, CONFIG_EXPECTED_SIZE);
}

static void
explain_notice(const struct form *form, const struct config_setting *setting,
    struct slice text, char expected[CONFIG_EXPECTED_SIZE])
{
	struct notice notice;

	if (read_notice(form, setting, text, &notice, expected) == 0)
		notice_finish(&notice);
}

static void
finish_notice(void *member)
{
	notice_finish(member);
}

static void
describe_with_standard(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	(void)setting;
	snprintf(expected, CONFIG_EXPECTED_SIZE,
	    "standard, none, data TEXT or event NAME TEXT");
}

static void
describe_heartbeat(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	(void)setting;
	snprintf(expected, CONFIG_EXPECTED_SIZE,
	    "comment, none, data TEXT or event NAME TEXT");
}

#define NOTICE_TYPE(name, form, describe) \
	static int read_##form(const struct config_setting *setting, \
	    struct slice text, void *member) \
	{ \
		char expected[CONFIG_EXPECTED_SIZE]; \
\
		return read_notice(&form, setting, text, member, expected); \
	} \
	static void explain_##form(const struct config_setting *setting, \
	    struct slice text, char expected[CONFIG_EXPECTED_SIZE]) \
	{ \
		explain_notice(&form, setting, text, expected); \
	} \
	const struct config_type config_type_##name = { \
	    read_##form, describe, finish_notice, NULL, explain_##form}

NOTICE_TYPE(GREETING, greeting_form, describe_with_standard);
NOTICE_TYPE(LIVE, live_form, describe_with_standard);
NOTICE_TYPE(HEARTBEAT, heartbeat_form, describe_heartbeat);
