/*
 * auth_grants: who a token is for, and what it allows by itself. See
 * auth_judge.h.
 *
 *	{"ssemux": {"subscribe": [...], "publish": [...], "admin": true}}
 */
#include <stdlib.h>

#include "broker/shared/auth_claims.h"
#include "broker/shared/auth_json.h"
#include "broker/shared/auth_judge.h"
#include "protocol/event.h"

/* The value of the claim that names the user: a text or an integer. */
struct naming {
	char text[AUTH_CLAIM_VALUE_MAX];
	size_t len;
};

_Static_assert((int)AUTH_USER_MAX == (int)AUTH_CLAIM_VALUE_MAX, "one bound");

static void
keep_name(struct slice value, void *context)
{
	struct naming *naming = context;

	memcpy(naming->text, value.bytes, value.len);
	naming->len = value.len;
}

/* Names are shown to operators, a line each. */
static bool
is_printable(const struct naming *naming)
{
	for (size_t i = 0; i < naming->len; i++) {
		unsigned char c = (unsigned char)naming->text[i];

		if (c < ' ' || c == 0x7F)
			return false;
	}
	return true;
}

static enum auth_verdict
read_user(struct auth_token *token, struct slice claim)
{
	struct naming naming;
	char *copy;

	if (!auth_claim_one(token->claims, claim, keep_name, &naming) ||
	    !is_printable(&naming))
		return AUTH_VERDICT_USER;
	copy = strndup(naming.text, naming.len);
	if (copy == NULL)
		return AUTH_VERDICT_MEMORY;
	token->user = slice_of(copy, naming.len);
	return AUTH_VERDICT_GOOD;
}

/* A list of patterns; none when it is not there. */
static enum auth_verdict
read_patterns(const json_t *list, struct slice **patterns, size_t *count)
{
	size_t size = json_array_size(list);

	if (list == NULL)
		return AUTH_VERDICT_GOOD;
	if (!json_is_array(list) || size > AUTH_GRANTS_MAX)
		return AUTH_VERDICT_GRANTS;
	*patterns = calloc(size + 1, sizeof(**patterns));
	if (*patterns == NULL)
		return AUTH_VERDICT_MEMORY;
	for (; *count < size; ++*count) {
		struct slice pattern =
		    auth_json_text(json_array_get(list, *count));

		if (!event_pattern_valid(pattern))
			return AUTH_VERDICT_GRANTS;
		(*patterns)[*count] = pattern;
	}
	return AUTH_VERDICT_GOOD;
}

enum auth_verdict
auth_judge_grants(struct auth_token *token, const struct auth_rules *rules)
{
	const json_t *own = json_object_get(token->claims->object, "ssemux");
	const json_t *admin = json_object_get(own, "admin");
	enum auth_verdict verdict = read_user(token, rules->user_claim);

	if (verdict != AUTH_VERDICT_GOOD || own == NULL)
		return verdict;
	if (!json_is_object(own) || (admin != NULL && !json_is_boolean(admin)))
		return AUTH_VERDICT_GRANTS;
	token->admin = json_is_true(admin);
	verdict = read_patterns(json_object_get(own, "subscribe"),
	    &token->subscribe, &token->subscribe_count);
	if (verdict != AUTH_VERDICT_GOOD)
		return verdict;
	return read_patterns(json_object_get(own, "publish"), &token->publish,
	    &token->publish_count);
}
