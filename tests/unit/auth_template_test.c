/* Tests of auth_template and auth_claims: claims in names of channels. */
#include "broker/shared/auth_template.h"

#include <stdio.h>
#include <string.h>

#include "broker/shared/auth_claims.h"
#include "broker/shared/auth_token.h"
#include "protocol/event.h"
#include "tests/unit/suite.h"

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

/* --- templates --- */

static const struct {
	const char *template;
	bool valid;
} templates[] = {
    {"a", true},
    {"*", true},
    {"a:*", true},
    {"user:{sub}", true},
    {"user:{sub}:*", true},
    {"{sub}", true},
    {"{sub}:*", true},
    {"org:{org}:user:{sub}:*", true},
    {"x-{sub}-y", true},
    {"t:{https://example.com/tenant}", true},
    {"t:{realm.tenant}", true},
    {"{a}:{b}:{c}:{d}", true},
    {"{a}:{b}:{c}:{d}:{e}", false},
    {"", false},
    {"user:", true},
    {"a b", false},
    {"{sub}*", false},
    {"{sub", false},
    {"sub}", false},
    {"{}", false},
    {"{{sub}}", false},
    {"{a b}", false},
    {"{a,b}", false},
    {"{a}{b}", false},
    {"{a}-{b}", false},
    {"{a}:x{b}", true},
    {"{a}x:{b}", true},
    {"*{sub}", false},
    {"a:*:{sub}", false},
};

START_TEST(a_template_is_a_pattern_with_claims_in_it)
{
	const char *why = NULL;
	bool valid =
	    auth_template_valid(slice_of_text(templates[_i].template), &why);

	ck_assert_msg(
	    valid == templates[_i].valid, "%s", templates[_i].template);
	ck_assert(valid || strlen(why) > 5);
}
END_TEST

START_TEST(a_template_has_so_many_bytes_and_no_more)
{
	char text[EVENT_CHANNEL_MAX + 2];
	const char *why;

	memset(text, 'a', sizeof(text));
	memcpy(text, "{b}", 3);
	ck_assert(auth_template_valid(slice_of(text, EVENT_CHANNEL_MAX), &why));
	ck_assert(
	    !auth_template_valid(slice_of(text, EVENT_CHANNEL_MAX + 1), &why));
}
END_TEST

/* --- filling --- */

static void
append(struct slice pattern, void *context)
{
	char *text = context;

	ck_assert(event_pattern_valid(pattern));
	if (*text != '\0')
		strcat(text, " ");
	strncat(text, pattern.bytes, pattern.len);
}

/* The patterns that the claims make of a template, with spaces between. */
static const char *
filled(const char *template, const char *claims)
{
	static char text[400000];
	struct auth_token token = {
	    .claims = auth_claims_read(slice_of_text(claims))};
	const char *why;
	int count;

	ck_assert_ptr_nonnull(token.claims);
	ck_assert(auth_template_valid(slice_of_text(template), &why));
	text[0] = '\0';
	count =
	    auth_template_fill(slice_of_text(template), &token, append, text);
	ck_assert_int_eq(count == 0, text[0] == '\0');
	auth_claims_destroy(token.claims);
	return text;
}

static const struct {
	const char *template;
	const char *claims;
	const char *patterns;
} fillings[] = {
    {"user:{sub}", "{\"sub\":\"u1\"}", "user:u1"},
    {"user:{sub}:*", "{\"sub\":\"u1\"}", "user:u1:*"},
    {"plain", "{}", "plain"},
    {"*", "{}", "*"},
    {"org:{org}:*", "{\"org\":[\"1\",\"b\"]}", "org:1:* org:b:*"},
    {"org:{org}", "{\"org\":42}", "org:42"},
    {"org:{org}", "{\"org\":[7,-8,\"x\"]}", "org:7 org:-8 org:x"},
    {"{a}:{b}", "{\"a\":[\"1\",\"2\"],\"b\":[\"x\",\"y\"]}", "1:x 1:y 2:x 2:y"},
    /* what is missing, empty or of no use gives nothing */
    {"user:{sub}", "{}", ""},
    {"user:{sub}", "{\"Sub\":\"u1\"}", ""},
    {"user:{sub}", "{\"sub\":\"\"}", ""},
    {"user:{sub}", "{\"sub\":null}", ""},
    {"user:{sub}", "{\"sub\":true}", ""},
    {"user:{sub}", "{\"sub\":1.5}", ""},
    {"user:{sub}", "{\"sub\":{\"a\":\"b\"}}", ""},
    {"user:{sub}", "{\"sub\":[]}", ""},
    {"user:{sub}", "{\"sub\":[[\"a\"],null,{},\"\",\"b\"]}", "user:b"},
    {"{a}:{b}", "{\"a\":\"1\"}", ""},
    {"{a}:{b}", "{\"b\":\"1\"}", ""},
    /* dots lead into objects, unless there is such a name */
    {"t:{realm.tenant}", "{\"realm\":{\"tenant\":\"x\"}}", "t:x"},
    {"t:{a.b.c}", "{\"a\":{\"b\":{\"c\":[\"x\",\"y\"]}}}", "t:x t:y"},
    {"t:{a.b.c}", "{\"a\":{\"b.c\":\"x\"}}", "t:x"},
    {"t:{realm.tenant}",
	"{\"realm.tenant\":\"y\",\"realm\":{\"tenant\":\"x\"}}", "t:y"},
    {"t:{realm.tenant}", "{\"realm\":\"tenant\"}", ""},
    {"t:{realm.tenant}", "{\"realm\":[{\"tenant\":\"x\"}]}", ""},
    {"t:{realm}", "{\"realm\":{\"tenant\":\"x\"}}", ""},
    {"t:{https://a.b/c}", "{\"https://a.b/c\":\"x\"}", "t:x"},
    /* no value widens a pattern or looks like another */
    {"user:{sub}", "{\"sub\":\"*\"}", "user:~2A"},
    {"user:{sub}:*", "{\"sub\":\"a:b\"}", "user:a~3Ab:*"},
    {"user:{sub}", "{\"sub\":\"a~3Ab\"}", "user:a~7E3Ab"},
    {"user:{sub}", "{\"sub\":\"{sub}\"}", "user:~7Bsub~7D"},
    {"user:{sub}", "{\"sub\":\"a b,c\\n\"}", "user:a~20b~2Cc~0A"},
    {"user:{sub}", "{\"sub\":\"\xC3\xA4\"}", "user:~C3~A4"},
    {"user:{sub}", "{\"sub\":\"\\u00e4\"}", "user:~C3~A4"},
    {"user:{sub}", "{\"sub\":\"A.z_0@b/c-d\"}", "user:A.z_0@b/c-d"},
    {"{sub}", "{\"sub\":\"*\"}", "~2A"},
    {"{sub}:*", "{\"sub\":\":\"}", "~3A:*"},
};

START_TEST(claims_fill_a_template)
{
	ck_assert_str_eq(filled(fillings[_i].template, fillings[_i].claims),
	    fillings[_i].patterns);
}
END_TEST

START_TEST(without_claims_only_plain_templates_give_something)
{
	char text[100] = "";

	ck_assert_int_eq(
	    auth_template_fill(slice_of_text("public:*"), NULL, append, text),
	    1);
	ck_assert_str_eq(text, "public:*");
	ck_assert_int_eq(
	    auth_template_fill(slice_of_text("user:{sub}"), NULL, append, text),
	    0);
	ck_assert_str_eq(text, "public:*");
}
END_TEST

/* Cut short it would be another's. */
START_TEST(a_value_that_makes_it_too_long_gives_nothing)
{
	char claims[400], name[EVENT_CHANNEL_MAX + 1] = "";

	memset(name, 'a', EVENT_CHANNEL_MAX - 5);
	snprintf(claims, sizeof(claims), "{\"sub\":\"%s\"}", name);
	ck_assert_uint_eq(strlen(filled("user:{sub}", claims)), 200);
	ck_assert_str_eq(filled("user:{sub}:*", claims), "");
	ck_assert_str_eq(filled("users:{sub}", claims), "");
	name[0] = ':';
	snprintf(claims, sizeof(claims), "{\"sub\":\"%s\"}", name);
	ck_assert_str_eq(filled("user:{sub}", claims), "");
}
END_TEST

/* Not some of them, either. */
START_TEST(too_many_patterns_are_none)
{
	for (int count = 32; count <= 33; count++) {
		char list[400] = "", claims[1000];

		for (int i = 0; i < count; i++)
			snprintf(list + strlen(list),
			    sizeof(list) - strlen(list), "%s%d",
			    i > 0 ? "," : "", i);
		snprintf(claims, sizeof(claims), "{\"a\":[%s],\"b\":[%s]}",
		    list, list);
		ck_assert_int_eq(
		    filled("{a}:{b}", claims)[0] == '\0', count == 33);
	}
}
END_TEST

/* --- names --- */

START_TEST(the_name_of_a_claim_is_visible_and_bounded)
{
	char name[AUTH_CLAIM_NAME_MAX + 1];

	memset(name, 'a', sizeof(name));
	ck_assert(auth_claim_name_valid(slice_of(name, sizeof(name) - 1)));
	ck_assert(!auth_claim_name_valid(slice_of(name, sizeof(name))));
	ck_assert(!auth_claim_name_valid(slice_of(NULL, 0)));
	ck_assert(!auth_claim_name_valid(slice_of_text("a b")));
	ck_assert(!auth_claim_name_valid(slice_of_text("\xC3\xA4")));
	ck_assert(auth_claim_name_valid(slice_of_text("https://a.b/c#d")));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("auth_template");

	tcase_add_loop_test(tests, a_template_is_a_pattern_with_claims_in_it, 0,
	    COUNT(templates));
	tcase_add_test(tests, a_template_has_so_many_bytes_and_no_more);
	tcase_add_loop_test(tests, claims_fill_a_template, 0, COUNT(fillings));
	tcase_add_test(
	    tests, without_claims_only_plain_templates_give_something);
	tcase_add_test(tests, a_value_that_makes_it_too_long_gives_nothing);
	tcase_add_test(tests, too_many_patterns_are_none);
	tcase_add_test(tests, the_name_of_a_claim_is_visible_and_bounded);
	return suite_run("auth_template", tests);
}
