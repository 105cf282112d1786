/* Tests of auth_token: tokens that are good, and a table of those that only
 * look so. */
#include "broker/shared/auth_token.h"

#include "broker/shared/auth_keys.h"
#include "tests/unit/suite.h"
#include "tests/unit/token_maker.h"

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))
/* A literal that may hold NUL. */
#define TEXT(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}
#define SECRET "0123456789abcdef0123456789abcdef"
#define GOOD_HEADER "{\"alg\":\"HS256\"}"
#define GOOD_CLAIMS "{\"sub\":\"u1\",\"exp\":1000000100}"

enum { NOW_S = 1000000000 };

static const uint64_t now_ms = NOW_S * 1000ULL;
static struct auth_rules rules;
static struct auth_keys *keys;
static struct maker secret, rsa, p256, p384, ed25519;

/* Once for all tests: making an RSA key takes a while. */
static void
make_keys(void)
{
	secret = maker_of_secret(SECRET);
	rsa = maker_of_kind("RSA");
	p256 = maker_of_kind("P-256");
	p384 = maker_of_kind("P-384");
	ed25519 = maker_of_kind("ED25519");
}

static void
set_up(void)
{
	rules = (struct auth_rules){.user_claim = {"sub", 3}};
	keys = NULL;
}

/* The keys are from now on those of a set of these JSON Web Keys. */
static void
use_set(const char *jwks)
{
	struct auth_source source = {.kind = AUTH_SOURCE_SET};
	struct auth_notes notes = {.note = NULL};
	char *text = malloc(MAKER_TOKEN_MAX);
	const char *why;
	size_t bad;

	snprintf(text, MAKER_TOKEN_MAX, "{\"keys\":[%s]}", jwks);
	source.bytes = slice_of_text(text);
	auth_keys_destroy(keys);
	keys = auth_keys_read(&source, 1, &notes, &bad, &why);
	ck_assert_msg(keys != NULL, "%s: %s", why, text);
	free(text);
}

static void
use_key(struct maker maker, const char *more)
{
	use_set(maker_jwk(maker, more));
}

static void
tear_down(void)
{
	auth_keys_destroy(keys);
}

/* In a buffer of just that size, so that a look past the end is found. */
static enum auth_verdict
judge(struct slice text)
{
	char *copy = malloc(text.len + 1);
	struct auth_token *token;
	enum auth_verdict verdict;

	memcpy(copy, text.bytes, text.len);
	copy = realloc(copy, text.len > 0 ? text.len : 1);
	verdict = auth_token_read(
	    slice_of(copy, text.len), keys, &rules, now_ms, &token);
	free(copy);
	ck_assert_int_eq(token != NULL, verdict == AUTH_VERDICT_GOOD);
	auth_token_destroy(token);
	return verdict;
}

static void
assert_verdict(const char *text, const char *expected, const char *what)
{
	enum auth_verdict verdict = judge(slice_of_text(text));

	ck_assert_msg(strcmp(auth_verdict_code(verdict), expected) == 0,
	    "%s: %s, not %s", what, auth_verdict_code(verdict), expected);
}

/* --- the examples of the standards --- */

static const char rfc7515_claims[] =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ";

static const struct {
	const char *what;
	const char *jwk;
	const char *header;
	const char *signature;
} examples[] = {
    {"RFC 7515, A.1",
	"{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
	"1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}",
	"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
	"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
    {"RFC 7515, A.2",
	"{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji"
	"9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgN"
	"MsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re"
	"xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh"
	"9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD"
	"TW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}",
	"eyJhbGciOiJSUzI1NiJ9",
	"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm"
	"4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--"
	"f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383Lc"
	"OLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUi"
	"pUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {"RFC 7515, A.3",
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV7"
	"6e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	"\"}",
	"eyJhbGciOiJFUzI1NiJ9",
	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxf"
	"KTUJqPP3-Kg6NU1Q"},
};

START_TEST(the_examples_of_rfc_7515_are_good)
{
	char text[2000];
	struct auth_token *token;

	use_set(examples[_i].jwk);
	rules.user_claim = slice_of_text("iss");
	snprintf(text, sizeof(text), "%s.%s.%s", examples[_i].header,
	    rfc7515_claims, examples[_i].signature);
	ck_assert_msg(auth_token_read(slice_of_text(text), keys, &rules,
			  1300819379999ULL, &token) == AUTH_VERDICT_GOOD,
	    "%s", examples[_i].what);
	ck_assert(slice_is(token->user, "joe"));
	ck_assert_uint_eq(token->expires_ms, 1300819380000ULL);
	auth_token_destroy(token);
	ck_assert_int_eq(auth_token_read(slice_of_text(text), keys, &rules,
			     1300819380000ULL, &token),
	    AUTH_VERDICT_EXPIRED);
}
END_TEST

/* Its payload is no JSON; that this is what is wrong says that the signature
 * is good. */
START_TEST(the_example_of_rfc_8037_has_a_good_signature)
{
	char text[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
		      ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki"
		      "4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

	use_set("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7Ty"
		"WQHOg7hcvPapiMlrwIaaPcHURo\"}");
	assert_verdict(text, "claims", "RFC 8037, A.4");
	text[strlen(text) - 5] = 'A';
	assert_verdict(text, "signature", "one bit less");
}
END_TEST

/* --- each algorithm --- */

static const struct {
	const char *name;
	struct maker *maker;
} algorithms[] = {{"HS256", &secret}, {"HS384", &secret}, {"HS512", &secret},
    {"RS256", &rsa}, {"RS384", &rsa}, {"RS512", &rsa}, {"PS256", &rsa},
    {"ES256", &p256}, {"ES384", &p384}, {"EdDSA", &ed25519}};

static struct slice
header_of(const char *algorithm)
{
	static char text[100];

	snprintf(text, sizeof(text), "{\"alg\":\"%s\"}", algorithm);
	return slice_of_text(text);
}

static char *
good_token(int i)
{
	return maker_token(*algorithms[i].maker, algorithms[i].name,
	    header_of(algorithms[i].name), slice_of_text(GOOD_CLAIMS));
}

START_TEST(each_algorithm_verifies_with_its_key)
{
	use_key(*algorithms[_i].maker, "");
	assert_verdict(good_token(_i), "good", algorithms[_i].name);
}
END_TEST

START_TEST(no_algorithm_verifies_with_a_key_of_another_family)
{
	for (int i = 0; i < COUNT(algorithms); i++) {
		if (algorithms[i].maker == algorithms[_i].maker)
			continue;
		use_key(*algorithms[i].maker, "");
		assert_verdict(
		    good_token(_i), "key-unknown", algorithms[i].name);
	}
}
END_TEST

START_TEST(an_algorithm_cannot_be_exchanged_for_another_of_its_family)
{
	use_key(*algorithms[_i].maker, "");
	for (int i = 0; i < COUNT(algorithms); i++) {
		if (algorithms[i].maker != algorithms[_i].maker || i == _i)
			continue;
		assert_verdict(
		    maker_token(*algorithms[i].maker, algorithms[i].name,
			header_of(algorithms[_i].name),
			slice_of_text(GOOD_CLAIMS)),
		    "signature", algorithms[i].name);
	}
}
END_TEST

/* Every character of a token counts. */
START_TEST(no_character_of_a_token_can_be_changed)
{
	char *text = good_token(_i);

	use_key(*algorithms[_i].maker, "");
	for (size_t i = 0; i < strlen(text); i++) {
		char before = text[i];

		text[i] = before == 'A' ? 'B' : 'A';
		ck_assert_msg(judge(slice_of_text(text)) != AUTH_VERDICT_GOOD,
		    "%s", text);
		text[i] = before;
		ck_assert_int_ne(judge(slice_of(text, i)), AUTH_VERDICT_GOOD);
	}
	ck_assert_int_eq(judge(slice_of_text(text)), AUTH_VERDICT_GOOD);
}
END_TEST

/* --- signatures --- */

static void
assert_signature(int i, const unsigned char *signature, size_t len,
    const char *expected, const char *what)
{
	char *text = maker_unsigned(
	    header_of(algorithms[i].name), slice_of_text(GOOD_CLAIMS));

	maker_with_signature(text, signature, len);
	assert_verdict(text, expected, what);
}

START_TEST(a_signature_has_its_length_and_every_bit_of_it)
{
	unsigned char signature[MAKER_SIGNATURE_MAX] = {0};
	struct maker maker = *algorithms[_i].maker;
	char *text = maker_unsigned(
	    header_of(algorithms[_i].name), slice_of_text(GOOD_CLAIMS));
	size_t len = maker_sign(
	    maker, algorithms[_i].name, slice_of_text(text), signature);

	use_key(maker, "");
	assert_signature(_i, signature, len, "good", "whole");
	assert_signature(_i, signature, 0, "malformed", "none");
	assert_signature(_i, signature, 1, "signature", "one byte");
	assert_signature(_i, signature, len / 2, "signature", "half");
	assert_signature(_i, signature, len - 1, "signature", "short");
	assert_signature(_i, signature, len + 1, "signature", "long");
	assert_signature(_i, signature, 2 * len, "signature", "double");
	assert_signature(
	    _i, signature, sizeof(signature), "signature", "very long");
	for (size_t bit = 0; bit < 8 * len; bit += 7) {
		signature[bit / 8] ^= (unsigned char)(1U << bit % 8);
		assert_signature(_i, signature, len, "signature", "flipped");
		signature[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	memset(signature, 0xFF, len);
	assert_signature(_i, signature, len, "signature", "ones");
	memset(signature, 0, len);
	assert_signature(_i, signature, len, "signature", "zeros");
}
END_TEST

START_TEST(r_and_s_are_numbers_side_by_side)
{
	for (int i = 0; i < COUNT(algorithms); i++) {
		unsigned char good[MAKER_SIGNATURE_MAX], bad[200];
		struct maker maker = *algorithms[i].maker;
		char *text = maker_unsigned(
		    header_of(algorithms[i].name), slice_of_text(GOOD_CLAIMS));
		size_t len, half;

		if (maker.pair != p256.pair && maker.pair != p384.pair)
			continue;
		use_key(maker, "");
		len = maker_sign(
		    maker, algorithms[i].name, slice_of_text(text), good);
		half = len / 2;
		memcpy(bad, good, len);
		memset(bad, 0, half);
		assert_signature(i, bad, len, "signature", "r = 0");
		memcpy(bad, good, len);
		memset(bad + half, 0, half);
		assert_signature(i, bad, len, "signature", "s = 0");
		memcpy(bad, good + half, half);
		memcpy(bad + half, good, half);
		assert_signature(i, bad, len, "signature", "exchanged");
		len = maker_sign_plainly(
		    maker, algorithms[i].name, slice_of_text(text), good);
		assert_signature(i, good, len, "signature", "DER");
	}
}
END_TEST

/* The order of the group of Ed25519, the low byte first. */
static const unsigned char order[32] = {0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63,
    0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, [31] = 0x10};

START_TEST(s_of_ed25519_is_reduced)
{
	unsigned char signature[MAKER_SIGNATURE_MAX];
	char *text =
	    maker_unsigned(header_of("EdDSA"), slice_of_text(GOOD_CLAIMS));
	unsigned sum = 0;

	use_key(ed25519, "");
	maker_sign(ed25519, "EdDSA", slice_of_text(text), signature);
	for (size_t i = 0; i < sizeof(order); i++) {
		sum = (sum >> 8) + signature[32 + i] + order[i];
		signature[32 + i] = (unsigned char)sum;
	}
	maker_with_signature(text, signature, 64);
	assert_verdict(text, "signature", "s plus the order");
}
END_TEST

/* RFC 7518, 3.5: as long as the digest. */
START_TEST(the_salt_of_pss_has_its_length)
{
	static const int lengths[] = {0, 20, 31, 33, RSA_PSS_SALTLEN_MAX, 32};

	use_key(rsa, "");
	for (int i = 0; i < COUNT(lengths); i++) {
		unsigned char signature[MAKER_SIGNATURE_MAX];
		char *text = maker_unsigned(
		    header_of("PS256"), slice_of_text(GOOD_CLAIMS));
		EVP_MD_CTX *context = EVP_MD_CTX_new();
		EVP_PKEY_CTX *settings;
		size_t len = sizeof(signature);

		EVP_DigestSignInit(
		    context, &settings, EVP_sha256(), NULL, rsa.pair);
		EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, lengths[i]);
		ck_assert_int_eq(EVP_DigestSign(context, signature, &len,
				     (const unsigned char *)text, strlen(text)),
		    1);
		EVP_MD_CTX_free(context);
		maker_with_signature(text, signature, len);
		assert_verdict(
		    text, lengths[i] == 32 ? "good" : "signature", "salt");
	}
}
END_TEST

/* --- keys --- */

/* Whoever knows a public key must not be able to sign with it. */
START_TEST(a_public_key_is_no_secret)
{
	struct maker *makers[] = {&rsa, &p256, &p384, &ed25519};
	const char *names[] = {"HS256", "HS384", "HS512"};
	struct maker *maker = makers[_i];
	struct slice forms[] = {maker_pem(*maker),
	    slice_of(maker_pem(*maker).bytes, maker_pem(*maker).len - 1),
	    maker_der(*maker), slice_of_text(maker_jwk(*maker, "")), TEXT(""),
	    TEXT("\0")};

	for (int i = 0; i < COUNT(forms) * COUNT(names); i++) {
		struct maker forger = {.secret = forms[i / COUNT(names)]};
		const char *name = names[i % COUNT(names)];
		char *text = maker_token(
		    forger, name, header_of(name), slice_of_text(GOOD_CLAIMS));
		char set[MAKER_TOKEN_MAX];

		use_key(*maker, "");
		assert_verdict(text, "key-unknown", name);
		/* Nor when there is a secret besides. */
		snprintf(set, sizeof(set), "%s,%s", maker_jwk(*maker, ""),
		    maker_jwk(secret, ""));
		use_set(set);
		assert_verdict(text, "signature", name);
	}
}
END_TEST

START_TEST(a_key_that_names_an_algorithm_verifies_no_other)
{
	use_key(rsa, ",\"alg\":\"RS256\"");
	assert_verdict(good_token(3), "good", "RS256");
	assert_verdict(good_token(6), "key-unknown", "PS256");
	use_key(secret, ",\"alg\":\"HS512\"");
	assert_verdict(good_token(0), "key-unknown", "HS256");
	assert_verdict(good_token(2), "good", "HS512");
}
END_TEST

START_TEST(the_kid_chooses_the_key)
{
	struct maker other =
	    maker_of_secret("another secret of enough bytes!!");
	struct {
		const char *header;
		struct maker maker;
		const char *expected;
	} rows[] = {
	    {"{\"alg\":\"HS256\",\"kid\":\"a\"}", secret, "good"},
	    {"{\"alg\":\"HS256\",\"kid\":\"b\"}", other, "good"},
	    {"{\"alg\":\"HS256\",\"kid\":\"a\"}", other, "signature"},
	    {"{\"alg\":\"HS256\",\"kid\":\"b\"}", secret, "signature"},
	    {"{\"alg\":\"HS256\",\"kid\":\"c\"}", secret, "key-unknown"},
	    {"{\"alg\":\"HS256\",\"kid\":\"A\"}", secret, "key-unknown"},
	    {"{\"alg\":\"HS256\",\"kid\":\"\"}", secret, "key-unknown"},
	    {"{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}", secret,
		"key-unknown"},
	    /* a key of another family */
	    {"{\"alg\":\"HS256\",\"kid\":\"r\"}", secret, "key-unknown"},
	    {"{\"alg\":\"RS256\",\"kid\":\"a\"}", rsa, "key-unknown"},
	    {"{\"alg\":\"RS256\",\"kid\":\"r\"}", rsa, "good"},
	    /* without a kid, each is tried */
	    {"{\"alg\":\"HS256\"}", secret, "good"},
	    {"{\"alg\":\"HS256\"}", other, "good"},
	    {"{\"alg\":\"ES256\"}", p256, "key-unknown"},
	};
	char set[MAKER_TOKEN_MAX];

	snprintf(set, sizeof(set), "%s,%s,%s",
	    maker_jwk(secret, ",\"kid\":\"a\""),
	    maker_jwk(other, ",\"kid\":\"b\""),
	    maker_jwk(rsa, ",\"kid\":\"r\""));
	use_set(set);
	for (int i = 0; i < COUNT(rows); i++) {
		char name[6] = {0};

		memcpy(name, rows[i].header + 8, 5);
		assert_verdict(maker_token(rows[i].maker, name,
				   slice_of_text(rows[i].header),
				   slice_of_text(GOOD_CLAIMS)),
		    rows[i].expected, rows[i].header);
	}
}
END_TEST

START_TEST(a_key_without_a_kid_verifies_a_token_with_one)
{
	struct slice header = TEXT("{\"alg\":\"HS256\",\"kid\":\"new\"}");

	use_key(secret, "");
	assert_verdict(
	    maker_token(secret, "HS256", header, slice_of_text(GOOD_CLAIMS)),
	    "good", "kid");
}
END_TEST

START_TEST(so_many_keys_are_tried_and_no_more)
{
	char *set = calloc(1, MAKER_TOKEN_MAX);
	int count = 0;

	/* The fitting one comes later and later. */
	for (; count <= AUTH_KEYS_TRIED; count++) {
		char text[100], all[MAKER_TOKEN_MAX];

		snprintf(all, sizeof(all), "%s%s", set, maker_jwk(secret, ""));
		use_set(all);
		assert_verdict(good_token(0),
		    count < AUTH_KEYS_TRIED ? "good" : "signature", "tries");
		snprintf(text, sizeof(text), "%08d" SECRET, count);
		strcat(set, maker_jwk(maker_of_secret(text), ""));
		strcat(set, ",");
	}
	free(set);
}
END_TEST

START_TEST(keys_that_a_header_brings_are_not_looked_at)
{
	struct maker forger = maker_of_kind("P-256");
	char header[2000];

	use_key(p256, "");
	snprintf(header, sizeof(header),
	    "{\"alg\":\"ES256\",\"jwk\":%s,\"jku\":\"https://evil.example/\","
	    "\"x5u\":\"https://evil.example/\",\"x5c\":[\"MIIB\"]}",
	    maker_jwk(forger, ""));
	assert_verdict(maker_token(forger, "ES256", slice_of_text(header),
			   slice_of_text(GOOD_CLAIMS)),
	    "signature", "the forger's");
	assert_verdict(maker_token(p256, "ES256", slice_of_text(header),
			   slice_of_text(GOOD_CLAIMS)),
	    "good", "ours, whatever else it says");
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("auth_token");
	TCase *tests = tcase_create("auth_token");
	int all = COUNT(algorithms);

	tcase_set_timeout(tests, 300);
	tcase_add_unchecked_fixture(tests, make_keys, NULL);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(
	    tests, the_examples_of_rfc_7515_are_good, 0, COUNT(examples));
	tcase_add_test(tests, the_example_of_rfc_8037_has_a_good_signature);
	tcase_add_loop_test(
	    tests, each_algorithm_verifies_with_its_key, 0, all);
	tcase_add_loop_test(
	    tests, no_algorithm_verifies_with_a_key_of_another_family, 0, all);
	tcase_add_loop_test(tests,
	    an_algorithm_cannot_be_exchanged_for_another_of_its_family, 0, all);
	tcase_add_loop_test(
	    tests, no_character_of_a_token_can_be_changed, 0, all);
	tcase_add_loop_test(
	    tests, a_signature_has_its_length_and_every_bit_of_it, 0, all);
	tcase_add_test(tests, r_and_s_are_numbers_side_by_side);
	tcase_add_test(tests, s_of_ed25519_is_reduced);
	tcase_add_test(tests, the_salt_of_pss_has_its_length);
	tcase_add_loop_test(tests, a_public_key_is_no_secret, 0, 4);
	tcase_add_test(tests, a_key_that_names_an_algorithm_verifies_no_other);
	tcase_add_test(tests, the_kid_chooses_the_key);
	tcase_add_test(tests, a_key_without_a_kid_verifies_a_token_with_one);
	tcase_add_test(tests, so_many_keys_are_tried_and_no_more);
	tcase_add_test(tests, keys_that_a_header_brings_are_not_looked_at);
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
