/*
 * auth_header: what the header of a token may say. See auth_judge.h.
 *
 * Keys that a header brings along (jwk, x5c) or points to (jku, x5u) are as
 * good as unknown members: they are not looked at.
 */
#include <strings.h>

#include "broker/shared/auth_json.h"
#include "broker/shared/auth_judge.h"

static bool
is_type(struct slice type, const char *name)
{
	static const struct slice prefix = {"application/", 12};

	if (type.len > prefix.len &&
	    strncasecmp(type.bytes, prefix.bytes, prefix.len) == 0)
		type = slice_of(type.bytes + prefix.len, type.len - prefix.len);
	return type.len == strlen(name) &&
	       strncasecmp(type.bytes, name, type.len) == 0;
}

/* Tokens for another use, such as a logout, must not pass for ours. */
static enum auth_verdict
judge_type(const json_t *value)
{
	struct slice type = auth_json_text(value);

	if (value == NULL || is_type(type, "JWT") || is_type(type, "at+jwt"))
		return AUTH_VERDICT_GOOD;
	return json_is_string(value) ? AUTH_VERDICT_TYPE : AUTH_VERDICT_HEADER;
}

static enum auth_verdict
read_kid(const json_t *value, struct auth_header *header)
{
	struct slice kid = auth_json_text(value);

	if (value == NULL)
		return AUTH_VERDICT_GOOD;
	if (!json_is_string(value) || kid.len > AUTH_KID_MAX)
		return AUTH_VERDICT_HEADER;
	/* An empty one names no key that there could be. */
	if (kid.len == 0)
		return AUTH_VERDICT_KEY_UNKNOWN;
	memcpy(header->kid, kid.bytes, kid.len);
	header->kid_len = kid.len;
	return AUTH_VERDICT_GOOD;
}

static enum auth_verdict
judge(const json_t *object, struct auth_header *header)
{
	const json_t *algorithm = json_object_get(object, "alg");
	const json_t *encoded = json_object_get(object, "b64");
	enum auth_verdict verdict;

	if (!json_is_string(algorithm))
		return AUTH_VERDICT_HEADER;
	if (json_object_get(object, "crit") != NULL ||
	    (encoded != NULL && !json_is_true(encoded)))
		return AUTH_VERDICT_CRITICAL;
	header->algorithm = auth_algorithm_find(auth_json_text(algorithm));
	if (header->algorithm == NULL)
		return AUTH_VERDICT_ALGORITHM;
	verdict = judge_type(json_object_get(object, "typ"));
	if (verdict != AUTH_VERDICT_GOOD)
		return verdict;
	return read_kid(json_object_get(object, "kid"), header);
}

enum auth_verdict
auth_judge_header(struct slice json, struct auth_header *header)
{
	json_t *object = auth_json_object(json);
	enum auth_verdict verdict = AUTH_VERDICT_HEADER;

	*header = (struct auth_header){.algorithm = NULL};
	if (object != NULL)
		verdict = judge(object, header);
	json_decref(object);
	return verdict;
}
