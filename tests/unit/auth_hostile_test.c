/*
 * Tests of auth_token, auth_header, auth_rules and auth_grants: texts that are
 * no tokens, headers, and claims; all with a good signature where there can be
 * one, so that it is not what they are refused for.
 */
#include "broker/shared/auth_keys.h"
#include "broker/shared/auth_token.h"
#include "tests/unit/suite.h"
#include "tests/unit/token_maker.h"

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))
/* A literal that may hold NUL. */
#define TEXT(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}
#define SECRET "0123456789abcdef0123456789abcdef"
#define HEADER "{\"alg\":\"HS256\"}"
#define CLAIMS "{\"sub\":\"u1\",\"exp\":1000000100}"
/* Claims that are good but for what is added. */
#define WITH(more) TEXT("{\"sub\":\"u1\",\"exp\":1000000100," more "}")
#define X10(text) text text text text text text text text text text

static const uint64_t now_ms = 1000000000000ULL;
static struct auth_rules rules;
static struct auth_keys *keys;

static void
set_up(void)
{
	struct auth_source source = {AUTH_SOURCE_KEY, TEXT(SECRET)};
	struct auth_notes notes = {.note = NULL};
	const char *why;
	size_t bad;

	rules = (struct auth_rules){.user_claim = {"sub", 3}};
	keys = auth_keys_read(&source, 1, &notes, &bad, &why);
	ck_assert_ptr_nonnull(keys);
}

static void
tear_down(void)
{
	auth_keys_destroy(keys);
}

static enum auth_verdict
judge(struct slice text)
{
	char *copy = malloc(text.len > 0 ? text.len : 1);
	struct auth_token *token;
	enum auth_verdict verdict;

	memcpy(copy, text.bytes, text.len);
	verdict = auth_token_read(
	    slice_of(copy, text.len), keys, &rules, now_ms, &token);
	free(copy);
	ck_assert_int_eq(token != NULL, verdict == AUTH_VERDICT_GOOD);
	auth_token_destroy(token);
	return verdict;
}

static void
assert_verdict(struct slice text, const char *expected, struct slice what)
{
	const char *code = auth_verdict_code(judge(text));

	ck_assert_msg(strcmp(code, expected) == 0, "%.*s: %s, not %s",
	    (int)what.len, what.bytes, code, expected);
}

static struct slice
token_of(struct slice header, struct slice claims)
{
	return slice_of_text(
	    maker_token(maker_of_secret(SECRET), "HS256", header, claims));
}

struct row {
	struct slice text;
	const char *expected;
};

/* --- headers --- */

static const struct row headers[] = {
    {TEXT(HEADER), "good"},
    {TEXT(" {\t\"alg\" :\r\n\"HS256\" } "), "good"},
    {TEXT("{\"\\u0061lg\":\"HS256\"}"), "good"},
    {TEXT("{\"alg\":\"HS256\",\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"), "good"},
    {TEXT("{\"alg\":\"none\"}"), "algorithm"},
    {TEXT("{\"alg\":\"None\"}"), "algorithm"},
    {TEXT("{\"alg\":\"nOnE\"}"), "algorithm"},
    {TEXT("{\"alg\":\"NONE\"}"), "algorithm"},
    {TEXT("{\"alg\":\"\"}"), "algorithm"},
    {TEXT("{\"alg\":\" HS256\"}"), "algorithm"},
    {TEXT("{\"alg\":\"HS256 \"}"), "algorithm"},
    {TEXT("{\"alg\":\"hs256\"}"), "algorithm"},
    {TEXT("{\"alg\":\"HS2560\"}"), "algorithm"},
    {TEXT("{\"alg\":\"HS1\"}"), "algorithm"},
    {TEXT("{\"alg\":\"PS384\"}"), "algorithm"},
    {TEXT("{\"alg\":\"ES512\"}"), "algorithm"},
    {TEXT("{\"alg\":\"ES256K\"}"), "algorithm"},
    {TEXT("{\"alg\":\"RS1\"}"), "algorithm"},
    {TEXT("{\"alg\":\"dir\",\"enc\":\"A128GCM\"}"), "algorithm"},
    {TEXT("{\"alg\":\"RS256\"}"), "key-unknown"},
    {TEXT("{\"alg\":\"EdDSA\"}"), "key-unknown"},
    {TEXT("{\"alg\":\"HS384\"}"), "signature"},
    {TEXT("{}"), "header"},
    {TEXT("{\"alg\":null}"), "header"},
    {TEXT("{\"alg\":256}"), "header"},
    {TEXT("{\"alg\":true}"), "header"},
    {TEXT("{\"alg\":[\"HS256\"]}"), "header"},
    {TEXT("{\"alg\":{\"HS256\":1}}"), "header"},
    {TEXT("{\"Alg\":\"HS256\"}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"alg\":\"HS256\"}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"alg\":\"none\"}"), "header"},
    {TEXT("{\"alg\":\"none\",\"alg\":\"HS256\"}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"x\":{\"a\":1,\"a\":2}}"), "header"},
    {TEXT("{\"alg\":\"HS256\\u0000\"}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"x\\u0000\":1}"), "header"},
    {TEXT("{\"alg\":\"HS256\"\0}"), "header"},
    {TEXT("{\"alg\":\"HS256\0\"}"), "header"},
    {TEXT("{\"alg\":\"HS256\"}\0"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"x\":\"\xFF\"}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"x\":\"\xC0\x80\"}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"x\":\"\xED\xA0\x80\"}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"x\":\"\\ud800\"}"), "header"},
    {TEXT("\xEF\xBB\xBF{\"alg\":\"HS256\"}"), "header"},
    {TEXT("{\"alg\":\"HS256\"}x"), "header"},
    {TEXT("{\"alg\":\"HS256\"}{}"), "header"},
    {TEXT("{\"alg\":\"HS256\",}"), "header"},
    {TEXT("{\"alg\":\"HS256\"} // x"), "header"},
    {TEXT("{/**/\"alg\":\"HS256\"}"), "header"},
    {TEXT("{'alg':'HS256'}"), "header"},
    {TEXT("{alg:\"HS256\"}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"x\":NaN}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"x\":1e400}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"),
	"header"},
    {TEXT("{\"alg\":\"HS256\""), "header"},
    {TEXT("[{\"alg\":\"HS256\"}]"), "header"},
    {TEXT("\"HS256\""), "header"},
    {TEXT("null"), "header"},
    {TEXT("HS256"), "header"},
    {TEXT(" "), "header"},
    {TEXT("{\"alg\":\"HS256\",\"crit\":[\"exp\"]}"), "critical"},
    {TEXT("{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}"), "critical"},
    {TEXT("{\"alg\":\"HS256\",\"crit\":[]}"), "critical"},
    {TEXT("{\"alg\":\"HS256\",\"crit\":null}"), "critical"},
    {TEXT("{\"alg\":\"none\",\"crit\":[\"exp\"]}"), "critical"},
    {TEXT("{\"alg\":\"HS256\",\"b64\":false}"), "critical"},
    {TEXT("{\"alg\":\"HS256\",\"b64\":0}"), "critical"},
    {TEXT("{\"alg\":\"HS256\",\"b64\":true}"), "good"},
    {TEXT("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), "good"},
    {TEXT("{\"alg\":\"HS256\",\"typ\":\"jwt\"}"), "good"},
    {TEXT("{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}"), "good"},
    {TEXT("{\"alg\":\"HS256\",\"typ\":\"application/at+JWT\"}"), "good"},
    {TEXT("{\"alg\":\"HS256\",\"typ\":\"logout+jwt\"}"), "type"},
    {TEXT("{\"alg\":\"HS256\",\"typ\":\"dpop+jwt\"}"), "type"},
    {TEXT("{\"alg\":\"HS256\",\"typ\":\"\"}"), "type"},
    {TEXT("{\"alg\":\"HS256\",\"typ\":\"JWT \"}"), "type"},
    {TEXT("{\"alg\":\"HS256\",\"typ\":\"application/\"}"), "type"},
    {TEXT("{\"alg\":\"HS256\",\"typ\":1}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"typ\":null}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"kid\":\"any\"}"), "good"},
    {TEXT("{\"alg\":\"HS256\",\"kid\":\"\"}"), "key-unknown"},
    {TEXT("{\"alg\":\"HS256\",\"kid\":1}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"kid\":null}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"kid\":[\"any\"]}"), "header"},
    {TEXT("{\"alg\":\"HS256\",\"kid\":\"" X10(
	 "0123456789012345678901234") "012345\"}"),
	"good"},
    {TEXT("{\"alg\":\"HS256\",\"kid\":\"" X10(
	 "0123456789012345678901234") "0123456\"}"),
	"header"},
    {TEXT("{\"alg\":\"HS256\",\"zip\":\"DEF\",\"cty\":\"JWT\"}"), "good"},
};

START_TEST(a_header_is_strict_json_and_asks_for_nothing_unknown)
{
	const struct row *row = &headers[_i];

	assert_verdict(token_of(row->text, slice_of_text(CLAIMS)),
	    row->expected, row->text);
}
END_TEST

/* --- claims --- */

static const struct row claims[] = {
    {TEXT(CLAIMS), "good"},
    {TEXT(" {\"exp\":1000000100\n,\"sub\":\"\\u0075\"}\t"), "good"},
    {TEXT("{\"sub\":7,\"exp\":1000000100}"), "good"},
    {TEXT("{\"sub\":\"u1\"}"), "expiry-missing"},
    {TEXT("{\"sub\":\"u1\",\"exp\":1000000000}"), "expired"},
    {TEXT("{\"sub\":\"u1\",\"exp\":1000000000.001}"), "good"},
    {TEXT("{\"sub\":\"u1\",\"exp\":1000000000.0001}"), "expired"},
    {TEXT("{\"sub\":\"u1\",\"exp\":1e9}"), "expired"},
    {TEXT("{\"sub\":\"u1\",\"exp\":1.1E9}"), "good"},
    {TEXT("{\"sub\":\"u1\",\"exp\":0}"), "expired"},
    {TEXT("{\"sub\":\"u1\",\"exp\":-0}"), "expired"},
    {TEXT("{\"sub\":\"u1\",\"exp\":253402300799}"), "good"},
    {TEXT("{\"sub\":\"u1\",\"exp\":253402300800}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":-1}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":-1e-9}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":1e18}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":1e308}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":1e400}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":-1e400}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":9223372036854775807}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":9223372036854775808}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":-9223372036854775808}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":18446744073709551616}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":18446744074709551716}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":NaN}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":Infinity}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":0x7FFFFFFF}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":01000000100}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":\"1000000100\"}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":null}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":true}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":[1000000100]}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":{\"exp\":1000000100}}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"exp\":1,\"exp\":1000000100}"), "claims"},
    {TEXT("{\"sub\":\"u1\",\"sub\":\"u2\",\"exp\":1000000100}"), "claims"},
    {WITH("\"\\u0073ub\":\"u2\""), "claims"},
    {WITH("\"nbf\":1000000000"), "good"},
    {WITH("\"nbf\":1000000000.5"), "early"},
    {WITH("\"nbf\":1000000001"), "early"},
    {WITH("\"nbf\":\"0\""), "claims"},
    {WITH("\"nbf\":null"), "claims"},
    {WITH("\"nbf\":-1"), "claims"},
    {WITH("\"iat\":1000000000"), "good"},
    {WITH("\"iat\":1000000001"), "issued-later"},
    {WITH("\"iat\":\"now\""), "claims"},
    {WITH("\"iat\":-1"), "claims"},
    {WITH("\"iss\":\"anyone\""), "good"},
    {WITH("\"iss\":1"), "claims"},
    {WITH("\"iss\":null"), "claims"},
    {WITH("\"aud\":\"somebody\""), "audience"},
    {WITH("\"aud\":[\"somebody\"]"), "audience"},
    {WITH("\"aud\":[]"), "audience"},
    {WITH("\"aud\":\"\""), "audience"},
    {WITH("\"aud\":null"), "claims"},
    {WITH("\"aud\":{}"), "claims"},
    {WITH("\"aud\":[1]"), "claims"},
    {TEXT("{\"exp\":1000000100}"), "user"},
    {TEXT("{\"sub\":\"\",\"exp\":1000000100}"), "user"},
    {TEXT("{\"sub\":null,\"exp\":1000000100}"), "user"},
    {TEXT("{\"sub\":true,\"exp\":1000000100}"), "user"},
    {TEXT("{\"sub\":1.5,\"exp\":1000000100}"), "user"},
    {TEXT("{\"sub\":{\"sub\":\"u\"},\"exp\":1000000100}"), "user"},
    {TEXT("{\"sub\":[\"a\",\"b\"],\"exp\":1000000100}"), "user"},
    {TEXT("{\"sub\":[\"a\"],\"exp\":1000000100}"), "user"},
    {TEXT("{\"sub\":[],\"exp\":1000000100}"), "user"},
    {TEXT("{\"sub\":\"a\\nb\",\"exp\":1000000100}"), "user"},
    {TEXT("{\"sub\":\"a\\u007f\",\"exp\":1000000100}"), "user"},
    {TEXT("{\"sub\":\"a\\u0000\",\"exp\":1000000100}"), "claims"},
    {TEXT("{\"sub\":\"" X10(
	 "0123456789012345678901234") "012345\",\"exp\":1000000100}"),
	"good"},
    {TEXT("{\"sub\":\"" X10(
	 "0123456789012345678901234") "0123456\",\"exp\":1000000100}"),
	"user"},
    {TEXT("[" CLAIMS "]"), "claims"},
    {TEXT(CLAIMS CLAIMS), "claims"},
    {TEXT(CLAIMS "\0"), "claims"},
    {TEXT("\"u1\""), "claims"},
    {TEXT("null"), "claims"},
    {TEXT("\xEF\xBB\xBF" CLAIMS), "claims"},
    {WITH("\"x\":\"\xFF\""), "claims"},
    {WITH("\"x\":\"\\udc00\""), "claims"},
    {WITH("\"x\":\"\0\""), "claims"},
    {WITH("\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]"), "good"},
    {WITH("\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"), "claims"},
    {WITH("\"x\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
	  "\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1"
	  "}}}}}}}}}}}}}}}}"),
	"claims"},
    {WITH("\"ssemux\":{}"), "good"},
    {WITH("\"ssemux\":{\"subscribe\":[],\"publish\":[],\"admin\":false}"),
	"good"},
    {WITH("\"ssemux\":{\"subscribe\":[\"a\",\"b:*\",\"*\"],\"new\":1}"),
	"good"},
    {WITH("\"ssemux\":null"), "grants"},
    {WITH("\"ssemux\":[]"), "grants"},
    {WITH("\"ssemux\":\"*\""), "grants"},
    {WITH("\"ssemux\":{\"admin\":1}"), "grants"},
    {WITH("\"ssemux\":{\"admin\":\"true\"}"), "grants"},
    {WITH("\"ssemux\":{\"admin\":null}"), "grants"},
    {WITH("\"ssemux\":{\"subscribe\":\"*\"}"), "grants"},
    {WITH("\"ssemux\":{\"subscribe\":null}"), "grants"},
    {WITH("\"ssemux\":{\"subscribe\":{\"0\":\"a\"}}"), "grants"},
    {WITH("\"ssemux\":{\"subscribe\":[\"\"]}"), "grants"},
    {WITH("\"ssemux\":{\"subscribe\":[1]}"), "grants"},
    {WITH("\"ssemux\":{\"subscribe\":[null]}"), "grants"},
    {WITH("\"ssemux\":{\"subscribe\":[\"a\",\"b*\"]}"), "grants"},
    {WITH("\"ssemux\":{\"subscribe\":[\"a b\"]}"), "grants"},
    {WITH("\"ssemux\":{\"publish\":[\"{sub}\"]}"), "grants"},
    {WITH("\"ssemux\":{\"publish\":[[\"a\"]]}"), "grants"},
    {WITH("\"ssemux\":{\"admin\":true,\"admin\":false}"), "claims"},
};

START_TEST(claims_are_strict_json_and_of_their_types)
{
	const struct row *row = &claims[_i];

	assert_verdict(token_of(slice_of_text(HEADER), row->text),
	    row->expected, row->text);
}
END_TEST

/* Without a good signature no claim is read: whatever they are, that is what
 * is said. */
START_TEST(claims_are_not_read_before_the_signature_is_good)
{
	char *text = maker_token(maker_of_secret("another secret"), "HS256",
	    slice_of_text(HEADER), claims[_i].text);

	assert_verdict(slice_of_text(text), "signature", claims[_i].text);
}
END_TEST

/* --- rules --- */

static const char *
judge_claims(const char *text)
{
	return auth_verdict_code(
	    judge(token_of(slice_of_text(HEADER), slice_of_text(text))));
}

START_TEST(clocks_may_differ_by_the_leeway)
{
	struct auth_token *token;
	struct slice text = token_of(slice_of_text(HEADER),
	    slice_of_text("{\"sub\":\"u\",\"exp\":999999996,"
			  "\"iat\":1000000004.5}"));

	rules.leeway_ms = 5000;
	ck_assert_int_eq(auth_token_read(text, keys, &rules, now_ms, &token),
	    AUTH_VERDICT_GOOD);
	/* the leeway lets it in, and no more */
	ck_assert_uint_eq(token->expires_ms, 999999996000ULL);
	ck_assert_uint_eq(token->issued_ms, 1000000004500ULL);
	auth_token_destroy(token);
	ck_assert_str_eq(
	    judge_claims("{\"sub\":\"u\",\"exp\":999999995}"), "expired");
	ck_assert_str_eq(judge_claims("{\"sub\":\"u\",\"exp\":1000000001,"
				      "\"nbf\":1000000005}"),
	    "good");
	ck_assert_str_eq(judge_claims("{\"sub\":\"u\",\"exp\":1000000001,"
				      "\"nbf\":1000000006}"),
	    "early");
	ck_assert_str_eq(judge_claims("{\"sub\":\"u\",\"exp\":1000000001,"
				      "\"iat\":1000000006}"),
	    "issued-later");
}
END_TEST

START_TEST(a_token_may_never_expire_when_the_rules_say_so)
{
	struct slice text =
	    token_of(slice_of_text(HEADER), slice_of_text("{\"sub\":\"u\"}"));
	struct auth_token *token;

	rules.expiry_optional = true;
	rules.leeway_ms = 5000;
	ck_assert_int_eq(auth_token_read(text, keys, &rules, now_ms, &token),
	    AUTH_VERDICT_GOOD);
	ck_assert(token->expires_ms == UINT64_MAX);
	ck_assert_uint_eq(token->issued_ms, 0);
	auth_token_destroy(token);
	ck_assert_str_eq(judge_claims("{\"sub\":\"u\",\"exp\":1}"), "expired");
	ck_assert_str_eq(
	    judge_claims("{\"sub\":\"u\",\"exp\":null}"), "claims");
}
END_TEST

START_TEST(the_issuer_is_the_one_of_the_rules)
{
	rules.issuer = slice_of_text("https://a");
	ck_assert_str_eq(judge_claims(CLAIMS), "issuer");
#define ISSUER(value) "{\"sub\":\"u\",\"exp\":1000000100,\"iss\":" value "}"
	ck_assert_str_eq(judge_claims(ISSUER("\"https://a\"")), "good");
	ck_assert_str_eq(judge_claims(ISSUER("\"https://a/\"")), "issuer");
	ck_assert_str_eq(judge_claims(ISSUER("\"https://\"")), "issuer");
	ck_assert_str_eq(judge_claims(ISSUER("\"HTTPS://A\"")), "issuer");
	ck_assert_str_eq(judge_claims(ISSUER("\"\"")), "issuer");
	ck_assert_str_eq(judge_claims(ISSUER("[\"https://a\"]")), "claims");
}
END_TEST

START_TEST(the_audience_is_one_of_those_of_the_rules)
{
	const char *const audiences[] = {"one", "two"};

	rules.audiences = audiences;
	rules.audience_count = 2;
	ck_assert_str_eq(judge_claims(CLAIMS), "audience");
#define AUDIENCE(value) "{\"sub\":\"u\",\"exp\":1000000100,\"aud\":" value "}"
	ck_assert_str_eq(judge_claims(AUDIENCE("\"one\"")), "good");
	ck_assert_str_eq(judge_claims(AUDIENCE("[\"x\",\"two\"]")), "good");
	ck_assert_str_eq(judge_claims(AUDIENCE("\"three\"")), "audience");
	ck_assert_str_eq(judge_claims(AUDIENCE("\"on\"")), "audience");
	ck_assert_str_eq(judge_claims(AUDIENCE("\"One\"")), "audience");
	ck_assert_str_eq(judge_claims(AUDIENCE("\"one two\"")), "audience");
	ck_assert_str_eq(judge_claims(AUDIENCE("[]")), "audience");
	ck_assert_str_eq(judge_claims(AUDIENCE("[\"one\",1]")), "claims");
	ck_assert_str_eq(judge_claims(AUDIENCE("{\"one\":1}")), "claims");
}
END_TEST

START_TEST(a_list_has_so_many_items_and_no_more)
{
	static const char *const openings[] = {"\"ssemux\":{\"subscribe\":[",
	    "\"ssemux\":{\"publish\":[", "\"aud\":["};
	const char *const audiences[] = {"a"};
	const char *end = _i == 2 ? "]}" : "]}}";

	rules.audiences = audiences;
	rules.audience_count = _i == 2;
	for (int count = AUTH_GRANTS_MAX; count <= AUTH_GRANTS_MAX + 1;
	     count++) {
		char text[3000] = "{\"sub\":\"u\",\"exp\":1000000100,";

		strcat(text, openings[_i]);
		for (int i = 0; i < count; i++)
			strcat(text, i == 0 ? "\"a\"" : ",\"a\"");
		strcat(text, end);
		ck_assert_str_eq(judge_claims(text), count == AUTH_GRANTS_MAX
							 ? "good"
						     : _i == 2 ? "claims"
							       : "grants");
	}
}
END_TEST

START_TEST(what_a_good_token_says_is_found_in_it)
{
	struct slice text = token_of(slice_of_text(HEADER),
	    slice_of_text("{\"realm\":{\"name\":42},\"exp\":1000000100,"
			  "\"ssemux\":{\"subscribe\":[\"a:*\",\"b\"],"
			  "\"publish\":[\"*\"],\"admin\":true}}"));
	struct auth_token *token;

	rules.user_claim = slice_of_text("realm.name");
	ck_assert_int_eq(auth_token_read(text, keys, &rules, now_ms, &token),
	    AUTH_VERDICT_GOOD);
	ck_assert(slice_is(token->user, "42"));
	ck_assert_uint_eq(token->subscribe_count, 2);
	ck_assert(slice_is(token->subscribe[0], "a:*"));
	ck_assert(slice_is(token->subscribe[1], "b"));
	ck_assert_uint_eq(token->publish_count, 1);
	ck_assert(slice_is(token->publish[0], "*"));
	ck_assert(token->admin);
	auth_token_destroy(token);
}
END_TEST

/* --- shapes --- */

START_TEST(a_token_is_three_parts_of_strict_base64url)
{
	/* 1, 2 and 3 stand for the parts of a good token */
	static const char *const shapes[] = {"", ".", "..", "...", "1", "1.",
	    "1.2", "1.2.", "1..3", ".2.3", "..3", "1..", ".2.", "1.2.3.",
	    ".1.2.3", "1..2.3", "1.2..3", "1.2.3.3", "1.2.3.3.3", " 1.2.3",
	    "1.2.3 ", "1.2.3\n", "1.2.3\r\n", "1. 2.3", "1.2\n.3", "1 .2.3",
	    "1=.2.3", "1.2=.3", "1.2.3=", "1.2.3==", "\"1.2.3\"",
	    "Bearer 1.2.3", "1,2,3", "1:2:3", "1.2.3#x", "1.2.3%3D", "1.2+.3",
	    "1.2/.3", "1.2.3\xC3\xA4", "1A.2.3",
	    "{\"protected\":\"1\",\"payload\":\"2\",\"signature\":\"3\"}"};
	char *parts = (char *)(uintptr_t)token_of(
	    slice_of_text(HEADER), slice_of_text(CLAIMS))
			  .bytes;
	const char *part[3];

	part[0] = strtok(parts, ".");
	part[1] = strtok(NULL, ".");
	part[2] = strtok(NULL, ".");
	for (int i = 0; i < COUNT(shapes); i++) {
		char text[2000] = "";
		size_t len = 0;

		for (const char *at = shapes[i]; *at != '\0'; at++) {
			if (*at >= '1' && *at <= '3')
				strcat(text, part[*at - '1']);
			else
				strncat(text, at, 1);
		}
		len = strlen(text);
		assert_verdict(
		    slice_of(text, len), "malformed", slice_of_text(shapes[i]));
	}
}
END_TEST

/* A signature of 32 bytes has 43 characters, and two bits behind the last
 * byte; they are zero, or there would be four texts of one token. */
START_TEST(bits_behind_the_last_byte_are_zero)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
				      "opqrstuvwxyz0123456789-_";
	struct slice token =
	    token_of(slice_of_text(HEADER), slice_of_text(CLAIMS));
	char *last = (char *)(uintptr_t)token.bytes + token.len - 1;
	long place = strchr(letters, *last) - letters;

	ck_assert_int_eq(place % 4, 0);
	for (long i = 1; i < 4; i++) {
		*last = letters[place + i];
		assert_verdict(token, "malformed", token);
	}
	*last = letters[place];
	assert_verdict(token, "good", token);
}
END_TEST

/* With the bytes that '+' and '/' stand for elsewhere. */
START_TEST(the_other_base64_is_none)
{
	struct slice claims_text = slice_of_text(
	    "{\"sub\":\"~~~?>>>?>>>\xC3\xBB\xC3\xBF\",\"exp\":1000000100}");
	struct slice token = token_of(slice_of_text(HEADER), claims_text);
	char *at = strpbrk((char *)(uintptr_t)token.bytes, "-_");

	assert_verdict(token, "good", token);
	ck_assert_ptr_nonnull(at);
	*at = *at == '-' ? '+' : '/';
	assert_verdict(token, "malformed", token);
}
END_TEST

START_TEST(a_nul_in_a_token_is_no_end)
{
	char text[2000];
	struct slice token =
	    token_of(slice_of_text(HEADER), slice_of_text(CLAIMS));

	memcpy(text, token.bytes, token.len);
	text[token.len] = '\0';
	assert_verdict(slice_of(text, token.len + 1), "malformed", token);
	text[5] = '\0';
	assert_verdict(slice_of(text, token.len), "malformed", token);
}
END_TEST

/* The longest token that is taken, and one that is a character longer. */
START_TEST(a_token_has_so_many_bytes_and_no_more)
{
	char text[AUTH_TOKEN_MAX];
	struct slice token = {NULL, 0};
	size_t len = 5900;

	for (; token.len < AUTH_TOKEN_MAX; len++) {
		snprintf(text, sizeof(text), "%-*s", (int)len, CLAIMS);
		token = token_of(slice_of_text(HEADER), slice_of_text(text));
		assert_verdict(token,
		    token.len <= AUTH_TOKEN_MAX ? "good" : "too-long", token);
	}
	ck_assert_uint_le(len, 6200);
	memset(text, 'A', sizeof(text));
	assert_verdict(slice_of(text, sizeof(text)), "malformed", token);
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("auth_hostile");
	TCase *tests = tcase_create("auth_hostile");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests,
	    a_header_is_strict_json_and_asks_for_nothing_unknown, 0,
	    COUNT(headers));
	tcase_add_loop_test(
	    tests, claims_are_strict_json_and_of_their_types, 0, COUNT(claims));
	tcase_add_loop_test(tests,
	    claims_are_not_read_before_the_signature_is_good, 0, COUNT(claims));
	tcase_add_test(tests, clocks_may_differ_by_the_leeway);
	tcase_add_test(tests, a_token_may_never_expire_when_the_rules_say_so);
	tcase_add_test(tests, the_issuer_is_the_one_of_the_rules);
	tcase_add_test(tests, the_audience_is_one_of_those_of_the_rules);
	tcase_add_loop_test(tests, a_list_has_so_many_items_and_no_more, 0, 3);
	tcase_add_test(tests, what_a_good_token_says_is_found_in_it);
	tcase_add_test(tests, a_token_is_three_parts_of_strict_base64url);
	tcase_add_test(tests, bits_behind_the_last_byte_are_zero);
	tcase_add_test(tests, the_other_base64_is_none);
	tcase_add_test(tests, a_nul_in_a_token_is_no_end);
	tcase_add_test(tests, a_token_has_so_many_bytes_and_no_more);
	suite_add_tcase(suite, tests);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
