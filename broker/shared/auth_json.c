/* auth_json: strict JSON of tokens and keys. See auth_json.h. */
#include "broker/shared/auth_json.h"

/* Is it nested no deeper than we want? The text may be no JSON at all. */
static bool
is_shallow(struct slice text)
{
	bool in_string = false;
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.bytes[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > AUTH_JSON_DEPTH_MAX)
				return false;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return true;
}

json_t *
auth_json_object(struct slice text)
{
	json_t *object;

	if (text.len == 0 || !is_shallow(text))
		return NULL;
	object = json_loadb(text.bytes, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(object))
		return object;
	json_decref(object);
	return NULL;
}

struct slice
auth_json_text(const json_t *value)
{
	if (!json_is_string(value))
		return slice_of(NULL, 0);
	return slice_of(json_string_value(value), json_string_length(value));
}

bool
auth_json_is(const json_t *value, const char *text)
{
	return json_is_string(value) && slice_is(auth_json_text(value), text);
}
