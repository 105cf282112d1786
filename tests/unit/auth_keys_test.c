/* Tests of auth_keys, auth_key_file and auth_jwk: what may be a key, and what
 * must not be taken for one. */
#include "broker/shared/auth_keys.h"

#include "tests/unit/suite.h"
#include "tests/unit/token_maker.h"

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))
#define TEXT(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}
#define X43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static size_t noted;

static void
note(const char *text, void *context)
{
	(void)context;
	ck_assert_uint_gt(strlen(text), 10);
	noted++;
}

/* How many keys are in it; -1: it is refused. */
static int
count_in(enum auth_source_kind kind, struct slice bytes)
{
	const struct auth_notes notes = {.note = note};
	char *copy = malloc(bytes.len > 0 ? bytes.len : 1);
	struct auth_source source = {kind, {copy, bytes.len}};
	struct auth_keys *keys;
	const char *why = NULL;
	size_t bad;
	int count = -1;

	if (bytes.len > 0)
		memcpy(copy, bytes.bytes, bytes.len);
	noted = 0;
	keys = auth_keys_read(&source, 1, &notes, &bad, &why);
	if (keys != NULL) {
		count = (int)auth_keys_count(keys);
	} else {
		ck_assert_uint_eq(bad, 0);
		ck_assert_uint_gt(strlen(why), 5);
	}
	auth_keys_destroy(keys);
	free(copy);
	return count;
}

static int
in_file(struct slice bytes)
{
	return count_in(AUTH_SOURCE_KEY, bytes);
}

static int
in_set(const char *text)
{
	return count_in(AUTH_SOURCE_SET, slice_of_text(text));
}

/* --- key files --- */

static const char *const kinds[] = {"RSA", "P-256", "P-384", "ED25519"};

START_TEST(each_kind_is_read_from_pem_and_json)
{
	struct maker maker = maker_of_kind(kinds[_i]);
	struct slice pem = maker_pem(maker);
	char twice[4000];

	ck_assert_int_eq(in_file(pem), 1);
	ck_assert_int_eq(in_file(slice_of_text(maker_jwk(maker, ""))), 1);
	snprintf(twice, sizeof(twice), "a comment\n%.*s\n\n%.*s#", (int)pem.len,
	    pem.bytes, (int)pem.len, pem.bytes);
	ck_assert_int_eq(in_file(slice_of_text(twice)), 2);
}
END_TEST

START_TEST(a_public_key_in_another_form_is_not_taken_for_a_secret)
{
	struct maker maker = maker_of_kind(kinds[_i]);
	struct slice pem = maker_pem(maker), der = maker_der(maker);
	const char *body = strchr(pem.bytes, '\n') + 1;
	char text[2000], tail[2000];

	ck_assert_int_eq(in_file(der), -1);
	/* what is between the armour */
	snprintf(text, sizeof(text), "%.*s",
	    (int)(strstr(body, "-----END") - body), body);
	ck_assert_int_eq(in_file(slice_of_text(text)), -1);
	snprintf(tail, sizeof(tail), "\n  %s", text);
	ck_assert_int_eq(in_file(slice_of_text(tail)), -1);
	/* and half of the armour */
	for (size_t len = 11; len + 20 < pem.len; len += 7)
		ck_assert_int_eq(in_file(slice_of(pem.bytes, len)), -1);
}
END_TEST

START_TEST(private_keys_and_certificates_are_refused)
{
	struct maker maker = maker_of_kind(kinds[_i]);
	BIO *out = BIO_new(BIO_s_mem());
	char *bytes;
	long len;

	PEM_write_bio_PKCS8PrivateKey(
	    out, maker.pair, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(out, &bytes);
	ck_assert_int_eq(in_file(slice_of(bytes, (size_t)len)), -1);
	/* also behind a public one */
	PEM_write_bio_PUBKEY(out, maker.pair);
	len = BIO_get_mem_data(out, &bytes);
	ck_assert_int_eq(in_file(slice_of(bytes, (size_t)len)), -1);
	BIO_free(out);
	ck_assert_int_eq(
	    in_file(slice_of_text(maker_jwk(maker, ",\"d\":\"AQ\""))), -1);
}
END_TEST

START_TEST(weak_and_strange_keys_are_refused)
{
	EVP_PKEY *pairs[] = {EVP_RSA_gen(1024), EVP_RSA_gen(2047),
	    EVP_EC_gen("P-521"), EVP_EC_gen("secp256k1"),
	    EVP_PKEY_Q_keygen(NULL, NULL, "X25519"),
	    EVP_PKEY_Q_keygen(NULL, NULL, "ED448")};

	for (int i = 0; i < COUNT(pairs); i++) {
		struct maker maker = {.pair = maker_keep(pairs[i])};

		ck_assert_int_eq(in_file(maker_pem(maker)), -1);
	}
}
END_TEST

static const struct {
	struct slice bytes;
	int count;
	size_t notes;
} files[] = {
    {TEXT(""), -1, 0},
    {TEXT("\n"), -1, 0},
    {TEXT(" \t\r\n"), -1, 0},
    {TEXT("0123456789abcdef0123456789abcdef"), 1, 0},
    {TEXT("0123456789abcdef0123456789abcde"), 1, 1},
    {TEXT("0123456789abcdef0123456789abcde\n"), 1, 1},
    {TEXT("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x10\x11\x12\x13\x14\x15\x16"
	  "\x17\x18\x19\x20\x21\x22\x23\x24\x25\x26\x27\x28\x29\x30\x00\x0A"),
	1, 0},
    {TEXT("x"), 1, 1},
    {TEXT("\0"), 1, 1},
    {TEXT("0x30 0123456789abcdef0123456789abcdef"), 1, 0},
    {TEXT("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ"), -1, 0},
    {TEXT("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"), -1, 0},
    {TEXT("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNo"), -1, 0},
    {TEXT("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"), -1, 0},
    {TEXT("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"), -1,
	0},
    {TEXT("a secret, and then -----BEGIN "), -1, 0},
    {TEXT("---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3NzaC1yc2EAAAADAQABAAABg"), -1,
	0},
    {TEXT("\xEF\xBB\xBF{\"kty\":\"oct\",\"k\":\"" X43 "\"}"), -1, 0},
    {TEXT("\xFF\xFE-\0-\0-\0-\0-\0B\0E\0G\0I\0N\0 \0P\0U\0B\0"), -1, 0},
    {TEXT("\xFE\xFF\0-\0-\0-\0-\0-\0B\0E\0G\0I\0N\0 \0P\0U\0B"), -1, 0},
    {TEXT("{}"), -1, 0},
    {TEXT("{\"keys\":[]}"), -1, 0},
    {TEXT("{\"kty\":\"oct\""), -1, 0},
    {TEXT("{ this is a secret that begins with a brace"), -1, 0},
    {TEXT(" {\"kty\":\"oct\",\"k\":\"" X43 "\"}\n"), 1, 0},
};

START_TEST(a_file_is_a_secret_only_when_it_is_nothing_else)
{
	ck_assert_int_eq(in_file(files[_i].bytes), files[_i].count);
	if (files[_i].count > 0)
		ck_assert_uint_eq(noted, files[_i].notes);
}
END_TEST

/* --- JSON Web Keys --- */

static const struct {
	const char *jwk;
	int count;
} jwks[] = {
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\"}", 1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"use\":\"sig\"}", 1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"use\":\"enc\"}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"use\":null}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"key_ops\":[\"verify\"]}", 1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"key_ops\":[\"sign\",\"verify\"]}",
	1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"key_ops\":[\"sign\"]}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"key_ops\":[]}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"key_ops\":\"verify\"}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"alg\":\"HS512\"}", 1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"alg\":\"RS256\"}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"alg\":\"none\"}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"alg\":\"A128KW\"}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"alg\":null}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"kid\":\"a\"}", 1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"kid\":\"\"}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"kid\":1}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "=\"}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 " \"}", -1},
    {"{\"kty\":\"oct\",\"k\":\"AAAA+AAA\"}", -1},
    {"{\"kty\":\"oct\",\"k\":\"AB\"}", -1},
    {"{\"kty\":\"oct\",\"k\":\"\"}", -1},
    {"{\"kty\":\"oct\",\"k\":1}", -1},
    {"{\"kty\":\"oct\"}", -1},
    {"{\"kty\":\"OCT\",\"k\":\"" X43 "\"}", -1},
    {"{\"kty\":\"oct\",\"k\":\"" X43 "\",\"k\":\"" X43 "\"}", -1},
    {"{\"kty\":\"RSA\",\"k\":\"" X43 "\"}", -1},
    {"{\"kty\":\"RSA\",\"n\":\"" X43 "\",\"e\":\"AQAB\"}", -1},
    {"{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"\"}", -1},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X43 "\",\"y\":\"" X43 "\"}",
	-1},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}", -1},
    {"{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"" X43 "\",\"y\":\"" X43 "\"}",
	-1},
    {"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" X43 "\",\"y\":\"" X43
     "\"}",
	-1},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}", -1},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X43 "AAAA\"}", -1},
    {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" X43 "\"}", -1},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" X43 "\"}", -1},
};

START_TEST(a_json_web_key_is_whole_and_for_us)
{
	char set[1000];

	ck_assert_msg(in_file(slice_of_text(jwks[_i].jwk)) == jwks[_i].count,
	    "%s", jwks[_i].jwk);
	/* In a set it is passed over, with a note. */
	snprintf(set, sizeof(set),
	    "{\"keys\":[%s,{\"kty\":\"oct\",\"k\":\"" X43 "\"}]}",
	    jwks[_i].jwk);
	if (strstr(jwks[_i].jwk, "\"k\":\"" X43 "\",\"k\"") != NULL) {
		ck_assert_int_eq(in_set(set), -1); /* no strict JSON at all */
		return;
	}
	ck_assert_int_eq(in_set(set), jwks[_i].count == 1 ? 2 : 1);
	ck_assert_uint_eq(noted, jwks[_i].count == 1 ? 0 : 1);
}
END_TEST

/* A point that is not on the curve, one coordinate of two curves. */
START_TEST(a_point_lies_on_its_curve)
{
	struct maker maker = maker_of_kind("P-256");
	char *jwk = (char *)(uintptr_t)maker_jwk(maker, "");
	char *x = strstr(jwk, "\"x\":\"") + 5;

	ck_assert_int_eq(in_file(slice_of_text(jwk)), 1);
	*x = *x == 'A' ? 'B' : 'A';
	ck_assert_int_eq(in_file(slice_of_text(jwk)), -1);
	memcpy(strstr(jwk, "P-256"), "P-384", 5);
	ck_assert_int_eq(in_file(slice_of_text(jwk)), -1);
}
END_TEST

/* With an exponent of 1 whatever is padded well is its own signature. */
START_TEST(an_rsa_key_has_sound_numbers)
{
	static const char *const exponents[] = {"AQ", "Ag", "AA", "AQAA"};
	struct maker maker = maker_of_kind("RSA");
	char *jwk = (char *)(uintptr_t)maker_jwk(maker, "");
	char *e = strstr(jwk, "\"e\":\"") + 5;

	ck_assert_int_eq(in_file(slice_of_text(jwk)), 1);
	for (int i = 0; i < COUNT(exponents); i++) {
		sprintf(e, "%s\"}", exponents[i]);
		ck_assert_msg(
		    in_file(slice_of_text(jwk)) == -1, "%s", exponents[i]);
	}
	sprintf(e, "%s\"}", "Aw");
	ck_assert_int_eq(in_file(slice_of_text(jwk)), 1);
}
END_TEST

static const char *const bad_sets[] = {"", " ", "{}", "[]", "null",
    "{\"keys\":{}}", "{\"keys\":null}", "{\"keys\":[]}", "{\"keys\":[1]}",
    "{\"keys\":[null,[],\"\"]}", "{\"keys\":[{}]}",
    "{\"kty\":\"oct\",\"k\":\"" X43 "\"}",
    "[{\"kty\":\"oct\",\"k\":\"" X43 "\"}]",
    "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" X43 "\"}]",
    "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" X43 "\"}]}x",
    "{\"keys\":[],\"keys\":[{\"kty\":\"oct\",\"k\":\"" X43 "\"}]}"};

START_TEST(a_set_is_strict_json_with_a_key_that_can_be_used)
{
	ck_assert_msg(in_set(bad_sets[_i]) == -1, "%s", bad_sets[_i]);
}
END_TEST

/* What a provider may have in a set besides: nothing of it is in our way. */
START_TEST(unknown_members_of_a_set_are_passed_over)
{
	ck_assert_int_eq(
	    in_set("{\"x\":1,\"keys\":[{\"kty\":\"new\",\"x5c\":[\"MII\"]},"
		   "{\"kty\":\"oct\",\"k\":\"" X43
		   "\",\"x5u\":\"https://a\",\"ext\":true}]}"),
	    1);
	ck_assert_uint_eq(noted, 1);
}
END_TEST

START_TEST(there_are_so_many_keys_and_no_more)
{
	for (int count = AUTH_KEYS_MAX; count <= AUTH_KEYS_MAX + 1; count++) {
		char set[20000] = "{\"keys\":[";

		for (int i = 0; i < count; i++) {
			strcat(set, i > 0 ? "," : "");
			strcat(set, "{\"kty\":\"oct\",\"k\":\"" X43 "\"}");
		}
		strcat(set, "]}");
		ck_assert_int_eq(
		    in_set(set), count == AUTH_KEYS_MAX ? AUTH_KEYS_MAX : -1);
	}
}
END_TEST

START_TEST(of_several_files_the_bad_one_is_named)
{
	struct auth_source sources[] = {{AUTH_SOURCE_KEY, TEXT(X43)},
	    {AUTH_SOURCE_SET,
		TEXT("{\"keys\":[{\"kty\":\"oct\",\"k\":\"" X43 "\"}]}")},
	    {AUTH_SOURCE_KEY, TEXT(X43 "\n")}, {AUTH_SOURCE_KEY, TEXT("{")}};
	const struct auth_notes notes = {.note = NULL};
	struct auth_keys *keys;
	const char *why;
	size_t bad;

	keys = auth_keys_read(sources, 3, &notes, &bad, &why);
	ck_assert_uint_eq(auth_keys_count(keys), 3);
	auth_keys_destroy(keys);
	ck_assert_ptr_null(auth_keys_read(sources, 4, &notes, &bad, &why));
	ck_assert_uint_eq(bad, 3);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("auth_keys");

	tcase_add_loop_test(
	    tests, each_kind_is_read_from_pem_and_json, 0, COUNT(kinds));
	tcase_add_loop_test(tests,
	    a_public_key_in_another_form_is_not_taken_for_a_secret, 0,
	    COUNT(kinds));
	tcase_add_loop_test(
	    tests, private_keys_and_certificates_are_refused, 0, COUNT(kinds));
	tcase_add_test(tests, weak_and_strange_keys_are_refused);
	tcase_add_loop_test(tests,
	    a_file_is_a_secret_only_when_it_is_nothing_else, 0, COUNT(files));
	tcase_add_loop_test(
	    tests, a_json_web_key_is_whole_and_for_us, 0, COUNT(jwks));
	tcase_add_test(tests, a_point_lies_on_its_curve);
	tcase_add_test(tests, an_rsa_key_has_sound_numbers);
	tcase_add_loop_test(tests,
	    a_set_is_strict_json_with_a_key_that_can_be_used, 0,
	    COUNT(bad_sets));
	tcase_add_test(tests, unknown_members_of_a_set_are_passed_over);
	tcase_add_test(tests, there_are_so_many_keys_and_no_more);
	tcase_add_test(tests, of_several_files_the_bad_one_is_named);
	return suite_run("auth_keys", tests);
}
