/*
 * Fuzzes json and utf8 against jansson: both call the same texts valid, but
 * for what jansson does not take and says so; strings and base64 come back as
 * they were.
 */
#include "protocol/json.h"

#include <jansson.h>

#include "protocol/buf.h"
#include "protocol/utf8.h"
#include "tests/fuzz/fuzz.h"

/* jansson interprets what it reads: a number must fit, a name has no NUL, a
 * surrogate has its other half. json.h only asks for the grammar. */
static bool
is_limit_of_jansson(const json_error_t *error)
{
	return json_error_code(error) == json_error_numeric_overflow ||
	       json_error_code(error) == json_error_null_byte_in_key ||
	       strstr(error->text, "invalid Unicode") != NULL;
}

/* More brackets are open at some place than json.h takes. */
static bool
may_be_too_deep(const char *text, size_t len)
{
	size_t open = 0;

	for (size_t i = 0; i < len; i++)
		open += text[i] == '[' || text[i] == '{';
	return open > JSON_DEPTH_MAX;
}

static void
check_valid(const char *text, size_t len)
{
	json_error_t error;
	json_t *value;
	bool valid = json_valid(text, len), deep;

	/* Of what is good all is; nothing is found beyond the end. */
	must(json_fault(text, len, &deep) <= len);
	must(!valid || (json_fault(text, len, &deep) == len && !deep));
	/* jansson loses a NUL that it looked at behind a number. */
	if (memchr(text, '\0', len) != NULL) {
		must(!valid);
		return;
	}
	value = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (value != NULL)
		must(valid || may_be_too_deep(text, len));
	else
		must(!valid || is_limit_of_jansson(&error));
	if (value != NULL && valid)
		must(json_is_object_or_array(text, len) ==
		     (json_is_object(value) || json_is_array(value)));
	json_decref(value);
}

static void
check_string(const char *text, size_t len)
{
	json_error_t error;
	struct buf buf;
	json_t *value;

	buf_init(&buf, 0);
	json_append_string(&buf, text, len);
	must(json_valid(buf_bytes(&buf), buf_length(&buf)));
	value = json_loadb(buf_bytes(&buf), buf_length(&buf),
	    JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	must(json_is_string(value) && json_string_length(value) == len);
	must(memcmp(json_string_value(value), text, len) == 0);
	json_decref(value);
	buf_finish(&buf);
}

static unsigned
base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = c == '=' ? digits : strchr(digits, c);

	must(c != '\0' && found != NULL);
	return (unsigned)(found - digits);
}

static void
check_base64(const uint8_t *bytes, size_t len)
{
	struct buf buf;
	const char *text;
	size_t groups = (len + 2) / 3;

	buf_init(&buf, 0);
	json_append_base64(&buf, bytes, len);
	must(buf_length(&buf) == groups * 4 + 2);
	text = buf_bytes(&buf);
	must(text[0] == '"' && text[groups * 4 + 1] == '"');
	for (size_t i = 0; i < len; i++) {
		const char *group = text + 1 + i / 3 * 4;
		unsigned bits = base64_value(group[0]) << 18 |
				base64_value(group[1]) << 12 |
				base64_value(group[2]) << 6 |
				base64_value(group[3]);

		must((bits >> (16 - i % 3 * 8) & 255) == bytes[i]);
	}
	for (size_t i = 0; i < groups * 4; i++)
		must((text[1 + i] == '=') == (i > (len * 4 - 1) / 3));
	buf_finish(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size);
	json_t *string = json_stringn(text, size);

	must(utf8_valid(text, size) == (string != NULL));
	if (string != NULL) {
		check_valid(text, size);
		check_string(text, size);
	}
	check_base64(data, size);
	json_decref(string);
	free(text);
	return 0;
}
