/*
 * Fuzzes the reader of tokens. The bytes are a token as they are; and they are
 * a header and claims, with a zero byte between, that get a good signature, so
 * that what is behind it is reached. What is found good holds what
 * auth_token.h promises.
 */
#include "broker/shared/auth_token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "broker/shared/auth_keys.h"
#include "broker/shared/auth_template.h"
#include "protocol/event.h"
#include "tests/fuzz/fuzz.h"

static const char secret[] = "0123456789abcdef0123456789abcdef";
static const uint64_t now_ms = 1000000000000ULL;
static struct auth_keys *keys;

static void
prepare(void)
{
	struct auth_source source = {
	    AUTH_SOURCE_KEY, {secret, sizeof(secret) - 1}};
	struct auth_notes notes = {.note = NULL};
	const char *why;
	size_t bad;

	if (keys != NULL)
		return;
	auth_keys_prepare(1);
	keys = auth_keys_read(&source, 1, &notes, &bad, &why);
	must(keys != NULL);
}

static void
check_pattern(struct slice pattern, void *context)
{
	(void)context;
	must(event_pattern_valid(pattern));
}

static void
check_good(const struct auth_token *token)
{
	static const char *const templates[] = {
	    "user:{sub}", "{sub}:{a}:*", "x:{a.b}", "{ssemux.subscribe}"};

	must(token->user.len > 0 && token->user.len <= AUTH_USER_MAX);
	must(token->expires_ms > now_ms && token->issued_ms <= now_ms);
	must(token->subscribe_count <= AUTH_GRANTS_MAX);
	must(token->publish_count <= AUTH_GRANTS_MAX);
	for (size_t i = 0; i < token->subscribe_count; i++)
		must(event_pattern_valid(token->subscribe[i]));
	for (size_t i = 0; i < token->publish_count; i++)
		must(event_pattern_valid(token->publish[i]));
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++)
		auth_template_fill(
		    slice_of_text(templates[i]), token, check_pattern, NULL);
}

static void
judge(const char *bytes, size_t size)
{
	struct auth_rules rules = {.user_claim = {"sub", 3}};
	char *copy = fuzz_copy(bytes, size);
	struct auth_token *token;
	enum auth_verdict verdict;

	verdict =
	    auth_token_read(slice_of(copy, size), keys, &rules, now_ms, &token);
	memset(copy, 'x', size);
	must((token != NULL) == (verdict == AUTH_VERDICT_GOOD));
	must(auth_verdict_code(verdict)[0] != '\0');
	if (token != NULL)
		check_good(token);
	auth_token_destroy(token);
	free(copy);
}

static size_t
append(char *out, size_t at, const void *bytes, size_t size)
{
	int len = EVP_EncodeBlock((unsigned char *)out + at, bytes, (int)size);

	for (int i = 0; i < len; i++) {
		char *c = &out[at + (size_t)i];

		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	}
	while (len > 0 && out[at + (size_t)len - 1] == '=')
		len--;
	return at + (size_t)len;
}

static void
judge_signed(const uint8_t *data, size_t size)
{
	const uint8_t *zero = memchr(data, 0, size);
	size_t header = zero != NULL ? (size_t)(zero - data) : size;
	size_t claims = zero != NULL ? size - header - 1 : 0;
	char *text = malloc(2 * size + 200);
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len;
	size_t len;

	must(text != NULL);
	len = append(text, 0, data, header);
	text[len++] = '.';
	if (claims > 0)
		len = append(text, len, zero + 1, claims);
	must(HMAC(EVP_sha256(), secret, sizeof(secret) - 1,
		 (unsigned char *)text, len, mac, &mac_len) != NULL);
	text[len++] = '.';
	len = append(text, len, mac, mac_len);
	judge(text, len);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	prepare();
	judge((const char *)data, size);
	judge_signed(data, size);
	return 0;
}
