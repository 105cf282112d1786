/*
 * auth_rules: the claims that RFC 7519 knows, against the rules. See
 * auth_judge.h.
 */
#include "broker/shared/auth_json.h"
#include "broker/shared/auth_judge.h"

enum { AUDIENCES_MAX = 256 };

/* The end of the year 9999, in seconds: what is later is nonsense. */
static const double date_max = 253402300799.;

/* A NumericDate in Unix ms. False: it is there, and is none. */
static bool
read_date(const json_t *value, uint64_t *ms)
{
	double seconds = json_number_value(value);

	if (!json_is_number(value))
		return value == NULL;
	/* Written so that no number that is not one passes. */
	if (!(seconds >= 0. && seconds <= date_max))
		return false;
	*ms = (uint64_t)(seconds * 1000.);
	return true;
}

static enum auth_verdict
judge_times(
    struct auth_token *token, const struct auth_rules *rules, uint64_t now_ms)
{
	const json_t *object = token->claims->object;
	uint64_t expires_ms = UINT64_MAX, from_ms = 0, issued_ms = 0;
	uint64_t latest_ms = now_ms + rules->leeway_ms;

	if (!read_date(json_object_get(object, "exp"), &expires_ms) ||
	    !read_date(json_object_get(object, "nbf"), &from_ms) ||
	    !read_date(json_object_get(object, "iat"), &issued_ms))
		return AUTH_VERDICT_CLAIMS;
	if (expires_ms == UINT64_MAX && !rules->expiry_optional)
		return AUTH_VERDICT_EXPIRY_MISSING;
	if (expires_ms != UINT64_MAX && expires_ms + rules->leeway_ms <= now_ms)
		return AUTH_VERDICT_EXPIRED;
	if (from_ms > latest_ms)
		return AUTH_VERDICT_EARLY;
	/* Else it would outlive what is revoked for tokens issued by now. */
	if (issued_ms > latest_ms)
		return AUTH_VERDICT_ISSUED_LATER;
	token->expires_ms = expires_ms;
	token->issued_ms = issued_ms;
	return AUTH_VERDICT_GOOD;
}

static enum auth_verdict
judge_issuer(const json_t *value, struct slice issuer)
{
	if (value != NULL && !json_is_string(value))
		return AUTH_VERDICT_CLAIMS;
	if (issuer.len == 0 || slice_equal(auth_json_text(value), issuer))
		return AUTH_VERDICT_GOOD;
	return AUTH_VERDICT_ISSUER;
}

static bool
is_audience(const json_t *value, const struct auth_rules *rules)
{
	for (size_t i = 0; i < rules->audience_count; i++) {
		if (auth_json_is(value, rules->audiences[i]))
			return true;
	}
	return false;
}

/* A token that names audiences is for nobody else (RFC 7519, 4.1.3). */
static enum auth_verdict
judge_audience(const json_t *value, const struct auth_rules *rules)
{
	bool found = false;

	if (value == NULL)
		return rules->audience_count == 0 ? AUTH_VERDICT_GOOD
						  : AUTH_VERDICT_AUDIENCE;
	if (json_is_string(value))
		return is_audience(value, rules) ? AUTH_VERDICT_GOOD
						 : AUTH_VERDICT_AUDIENCE;
	if (!json_is_array(value) || json_array_size(value) > AUDIENCES_MAX)
		return AUTH_VERDICT_CLAIMS;
	for (size_t i = 0; i < json_array_size(value); i++) {
		const json_t *item = json_array_get(value, i);

		if (!json_is_string(item))
			return AUTH_VERDICT_CLAIMS;
		found |= is_audience(item, rules);
	}
	return found ? AUTH_VERDICT_GOOD : AUTH_VERDICT_AUDIENCE;
}

enum auth_verdict
auth_judge_claims(
    struct auth_token *token, const struct auth_rules *rules, uint64_t now_ms)
{
	const json_t *object = token->claims->object;
	enum auth_verdict verdict = judge_times(token, rules, now_ms);

	if (verdict == AUTH_VERDICT_GOOD)
		verdict =
		    judge_issuer(json_object_get(object, "iss"), rules->issuer);
	if (verdict == AUTH_VERDICT_GOOD)
		verdict = judge_audience(json_object_get(object, "aud"), rules);
	return verdict;
}
