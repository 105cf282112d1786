/*
 * auth_token: a token from its bytes to its claims. See auth_token.h.
 *
 *	header "." claims "." signature
 *
 * The order is fixed: shape, header, key, signature; and only when that is good
 * the claims are read at all.
 */
#include "broker/shared/auth_token.h"

#include <stdlib.h>

#include "broker/shared/auth_base64.h"
#include "broker/shared/auth_claims.h"
#include "broker/shared/auth_judge.h"
#include "broker/shared/auth_keyring.h"

/* A token cut in three; all slices lie in it. */
struct parts {
	struct slice header;
	struct slice claims;
	struct slice signature;
	struct slice signed_text; /* header, dot and claims */
};

/* Cuts what is before the first dot off *rest; false when there is no dot. */
static bool
cut(struct slice *rest, struct slice *part)
{
	const char *dot =
	    rest->len > 0 ? memchr(rest->bytes, '.', rest->len) : NULL;

	if (dot == NULL)
		return false;
	*part = slice_of(rest->bytes, (size_t)(dot - rest->bytes));
	*rest = slice_of(dot + 1, rest->len - part->len - 1);
	return part->len > 0;
}

static bool
split(struct slice text, struct parts *parts)
{
	struct slice rest = text;

	if (!cut(&rest, &parts->header) || !cut(&rest, &parts->claims))
		return false;
	parts->signature = rest;
	parts->signed_text = slice_of(text.bytes, text.len - rest.len - 1);
	return rest.len > 0;
}

/* Decodes into a buffer for the longest part of a token. */
static bool
decode(struct slice part, char bytes[AUTH_TOKEN_MAX], struct slice *decoded)
{
	size_t len;

	if (!auth_base64_decode(part, (unsigned char *)bytes, &len))
		return false;
	*decoded = slice_of(bytes, len);
	return true;
}

static bool
has_kid(const struct auth_key *key, struct slice kid)
{
	return key->kid != NULL && slice_is(kid, key->kid);
}

/* Is it a key for that algorithm? */
static bool
is_fitting(const struct auth_key *key, const struct auth_header *header)
{
	return key->family == header->algorithm->family &&
	       (key->only == NULL || key->only == header->algorithm);
}

static bool
knows_kid(const struct auth_keys *keys, struct slice kid)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (has_kid(&keys->items[i], kid))
			return true;
	}
	return false;
}

/*
 * May the key be tried? A kid means the keys that have it; when no key has it,
 * those that have none; no kid means all.
 */
static bool
is_meant(const struct auth_key *key, struct slice kid, bool kid_known)
{
	if (kid.len == 0)
		return true;
	return kid_known ? has_kid(key, kid) : key->kid == NULL;
}

static enum auth_verdict
judge_signature(const struct auth_keys *keys, const struct auth_header *header,
    struct slice text, struct slice signature)
{
	struct slice kid = slice_of(header->kid, header->kid_len);
	bool kid_known = knows_kid(keys, kid);
	size_t tried = 0;

	for (size_t i = 0; i < keys->count && tried < AUTH_KEYS_TRIED; i++) {
		const struct auth_key *key = &keys->items[i];

		if (!is_fitting(key, header) || !is_meant(key, kid, kid_known))
			continue;
		if (auth_key_verifies(key, header->algorithm, text, signature))
			return AUTH_VERDICT_GOOD;
		tried++;
	}
	return tried > 0 ? AUTH_VERDICT_SIGNATURE : AUTH_VERDICT_KEY_UNKNOWN;
}

/* Header and signature; *claims then is decoded. */
static enum auth_verdict
judge_bytes(struct slice text, const struct auth_keys *keys,
    char bytes[AUTH_TOKEN_MAX], struct slice *claims)
{
	struct auth_header header;
	struct slice decoded;
	struct parts parts;
	enum auth_verdict verdict;

	if (text.len > AUTH_TOKEN_MAX)
		return AUTH_VERDICT_TOO_LONG;
	/* All three are decoded before any is looked at. */
	if (!split(text, &parts) || !decode(parts.claims, bytes, &decoded) ||
	    !decode(parts.signature, bytes, &decoded) ||
	    !decode(parts.header, bytes, &decoded))
		return AUTH_VERDICT_MALFORMED;
	verdict = auth_judge_header(decoded, &header);
	if (verdict != AUTH_VERDICT_GOOD)
		return verdict;
	decode(parts.signature, bytes, &decoded);
	verdict = judge_signature(keys, &header, parts.signed_text, decoded);
	if (verdict == AUTH_VERDICT_GOOD)
		decode(parts.claims, bytes, claims);
	return verdict;
}

static enum auth_verdict
judge(struct auth_token *token, struct slice text, const struct auth_keys *keys,
    const struct auth_rules *rules, uint64_t now_ms)
{
	char bytes[AUTH_TOKEN_MAX];
	struct slice claims;
	enum auth_verdict verdict = judge_bytes(text, keys, bytes, &claims);

	if (verdict != AUTH_VERDICT_GOOD)
		return verdict;
	token->claims = auth_claims_read(claims);
	if (token->claims == NULL)
		return AUTH_VERDICT_CLAIMS;
	verdict = auth_judge_claims(token, rules, now_ms);
	return verdict == AUTH_VERDICT_GOOD ? auth_judge_grants(token, rules)
					    : verdict;
}

enum auth_verdict
auth_token_read(struct slice text, const struct auth_keys *keys,
    const struct auth_rules *rules, uint64_t now_ms, struct auth_token **token)
{
	struct auth_token *made = calloc(1, sizeof(*made));
	enum auth_verdict verdict = AUTH_VERDICT_MEMORY;

	*token = NULL;
	if (made != NULL)
		verdict = judge(made, text, keys, rules, now_ms);
	if (verdict == AUTH_VERDICT_GOOD)
		*token = made;
	else
		auth_token_destroy(made);
	return verdict;
}

void
auth_token_destroy(struct auth_token *token)
{
	if (token == NULL)
		return;
	free((char *)(uintptr_t)token->user.bytes);
	free(token->subscribe);
	free(token->publish);
	auth_claims_destroy(token->claims);
	free(token);
}
