/* auth_claims: claims by name. See auth_claims.h. */
#include "broker/shared/auth_claims.h"

#include <stdio.h>
#include <stdlib.h>

#include "broker/shared/auth_json.h"

struct auth_claims *
auth_claims_read(struct slice json)
{
	struct auth_claims *claims = calloc(1, sizeof(*claims));

	if (claims == NULL)
		return NULL;
	claims->object = auth_json_object(json);
	if (claims->object != NULL)
		return claims;
	free(claims);
	return NULL;
}

void
auth_claims_destroy(struct auth_claims *claims)
{
	if (claims == NULL)
		return;
	json_decref(claims->object);
	free(claims);
}

bool
auth_claim_name_valid(struct slice name)
{
	if (name.len == 0 || name.len > AUTH_CLAIM_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.bytes[i];

		if (c <= ' ' || c > '~' || c == '{' || c == '}' || c == ',')
			return false;
	}
	return true;
}

static const json_t *
member(const json_t *object, struct slice name)
{
	char text[AUTH_CLAIM_NAME_MAX + 1];

	if (name.len > AUTH_CLAIM_NAME_MAX)
		return NULL;
	if (name.len > 0)
		memcpy(text, name.bytes, name.len);
	text[name.len] = '\0';
	return json_object_get(object, text);
}

/* The claim of that name, or what its dots lead to; NULL. */
static const json_t *
find_claim(const json_t *object, struct slice name)
{
	const json_t *value = member(object, name);
	const char *dot;

	while (value == NULL && name.len > 0 &&
	       (dot = memchr(name.bytes, '.', name.len)) != NULL) {
		size_t len = (size_t)(dot - name.bytes);

		object = member(object, slice_of(name.bytes, len));
		if (!json_is_object(object))
			return NULL;
		name = slice_of(dot + 1, name.len - len - 1);
		value = member(object, name);
	}
	return value;
}

/* 1 when the value can be given, else 0. */
static size_t
give(const json_t *value, void (*found)(struct slice value, void *context),
    void *context)
{
	struct slice text = auth_json_text(value);
	char number[24];

	if (json_is_integer(value)) {
		int len = snprintf(number, sizeof(number),
		    "%" JSON_INTEGER_FORMAT, json_integer_value(value));

		text = slice_of(number, len > 0 ? (size_t)len : 0);
	}
	if (text.len == 0 || text.len > AUTH_CLAIM_VALUE_MAX)
		return 0;
	found(text, context);
	return 1;
}

bool
auth_claim_one(const struct auth_claims *claims, struct slice name,
    void (*found)(struct slice value, void *context), void *context)
{
	return give(find_claim(claims->object, name), found, context) == 1;
}

size_t
auth_claim_each(const struct auth_claims *claims, struct slice name,
    void (*found)(struct slice value, void *context), void *context)
{
	const json_t *value = find_claim(claims->object, name);
	size_t count = 0;

	if (!json_is_array(value))
		return give(value, found, context);
	for (size_t i = 0; i < json_array_size(value); i++)
		count += give(json_array_get(value, i), found, context);
	return count;
}
