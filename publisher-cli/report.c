/* report: from JSON to aligned lines. See report.h. */
#include "publisher-cli/report.h"

#include <jansson.h>
#include <string.h>

enum { NAME_SIZE = 128, NAME_WIDTH = 30 };

static void
print_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		fputc(
		    (unsigned char)*text < 0x20 || *text == 0x7F ? '?' : *text,
		    out);
}

static void
print_line(FILE *out, const char *name, const json_t *value)
{
	print_text(out, name);
	fprintf(out, "%*s", NAME_WIDTH - (int)strlen(name), "");
	switch (json_typeof(value)) {
	case JSON_STRING:
		fputc(' ', out);
		print_text(out, json_string_value(value));
		break;
	case JSON_INTEGER:
		fprintf(
		    out, " %" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		fprintf(out, " %g", json_real_value(value));
		break;
	case JSON_TRUE:
		fputs(" yes", out);
		break;
	case JSON_FALSE:
		fputs(" no", out);
		break;
	case JSON_NULL:
	case JSON_OBJECT:
	case JSON_ARRAY:
		fputs(" -", out);
		break;
	}
	fputc('\n', out);
}

/* Depth is bounded by jansson's parser. */
static void
print_value(FILE *out, const char *name, json_t *value)
{
	char inner[NAME_SIZE];
	const char *key;
	json_t *member;
	size_t index;

	if (json_is_object(value) && json_object_size(value) > 0) {
		json_object_foreach(value, key, member)
		{
			snprintf(inner, sizeof(inner), "%s%s%s", name,
			    *name != '\0' ? "." : "", key);
			print_value(out, inner, member);
		}
	} else if (json_is_array(value) && json_array_size(value) > 0) {
		json_array_foreach(value, index, member)
		{
			snprintf(
			    inner, sizeof(inner), "%s[%zu]", name, index + 1);
			print_value(out, inner, member);
		}
	} else {
		print_line(out, name, value);
	}
}

int
report_print(FILE *out, const char *json)
{
	json_t *root = json_loads(json, 0, NULL);

	if (!json_is_object(root)) {
		json_decref(root);
		return -1;
	}
	print_value(out, "", root);
	json_decref(root);
	return 0;
}

int
report_print_command(FILE *out, const struct report_command *done)
{
	char name[32];
	json_t *root;
	int failed;

	snprintf(name, sizeof(name), "%ss", done->noun);
	root = json_pack("{s:s, s:s, s:s?, s:I}", "command", done->command,
	    "user", done->user, "channels", done->channels, name,
	    (json_int_t)done->count);
	failed = root == NULL || json_dumpf(root, out, JSON_COMPACT) < 0;
	json_decref(root);
	fputc('\n', out);
	return failed ? -1 : 0;
}
