/* trace_report: the answer to trace and explain. See trace_report.h. */
#include "publisher-cli/trace_report.h"

#include <jansson.h>
#include <string.h>

/* Texts of others: no control characters, which could be told apart from our
 * own no more. */
static void
print_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		fputc(
		    (unsigned char)*text < 0x20 || *text == 0x7F ? '?' : *text,
		    out);
}

/* The text of a member; "-" when there is none. */
static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL && *text != '\0' ? text : "-";
}

static json_int_t
number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* --- the event --- */

static void
print_member(
    FILE *out, enum trace_form form, const char *name, const char *text)
{
	fprintf(out, form == TRACE_TABLE ? "%-10s " : "%s\t", name);
	print_text(out, text);
	fputc('\n', out);
}

static const char *
state_of(const json_t *event)
{
	if (!json_is_object(event))
		return "gone";
	return json_is_true(json_object_get(event, "stored")) ? "stored"
							      : "memory";
}

static void
print_event(FILE *out, const json_t *root, enum trace_form form)
{
	const json_t *event = json_object_get(root, "event");
	char bytes[32];

	print_member(out, form, "cursor", text_of(root, "cursor"));
	print_member(out, form, "published", text_of(root, "published"));
	print_member(out, form, "state", state_of(event));
	if (!json_is_object(event))
		return;
	print_member(out, form, "channel", text_of(event, "channel"));
	print_member(out, form, "type", text_of(event, "type"));
	print_member(out, form, "key", text_of(event, "key"));
	snprintf(bytes, sizeof(bytes), "%" JSON_INTEGER_FORMAT,
	    number_of(event, "bytes"));
	print_member(out, form, "bytes", bytes);
}

/* --- streams --- */

static void
print_why(FILE *out, const json_t *row)
{
	if (!json_is_true(json_object_get(row, "certain")))
		fputs("probably: ", out);
	print_text(out, text_of(row, "why"));
	if (strcmp(text_of(row, "verdict"), "lagging") == 0)
		fprintf(out, ", %" JSON_INTEGER_FORMAT " ms behind",
		    number_of(row, "behindMs"));
	if (json_object_get(row, "ended") != NULL) {
		fputs("; ended ", out);
		print_text(out, text_of(row, "ended"));
		fputs(" (", out);
		print_text(out, text_of(row, "reason"));
		fputc(')', out);
	}
}

static void
print_row(FILE *out, const json_t *row, enum trace_form form)
{
	static const char *const texts[] = {"stream", "user", "address"};

	fprintf(out,
	    form == TRACE_TABLE ? "%6" JSON_INTEGER_FORMAT
				: "stream\t%" JSON_INTEGER_FORMAT,
	    number_of(row, "worker"));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text = text_of(row, texts[i]);
		int width = i == 0 ? 24 : 16;

		fputs(form == TRACE_TABLE ? "  " : "\t", out);
		print_text(out, text);
		if (form == TRACE_TABLE && (int)strlen(text) < width)
			fprintf(out, "%*s", width - (int)strlen(text), "");
	}
	if (form == TRACE_TABLE) {
		fprintf(out, "  %-14s  ", text_of(row, "verdict"));
		print_why(out, row);
		fputc('\n', out);
		return;
	}
	fprintf(out, "\t%s\t%s\t%" JSON_INTEGER_FORMAT "\t%s\t%s\n",
	    text_of(row, "verdict"),
	    json_is_true(json_object_get(row, "certain")) ? "certain"
							  : "probably",
	    number_of(row, "behindMs"), text_of(row, "ended"),
	    text_of(row, "reason"));
}

static void
print_rows(FILE *out, const json_t *root, enum trace_form form)
{
	const json_t *rows = json_object_get(root, "rows");
	size_t i;
	const json_t *row;

	if (form == TRACE_TABLE && json_array_size(rows) > 0)
		fprintf(out, "\n%6s  %-24s  %-16s  %-16s  %-14s  %s\n",
		    "WORKER", "STREAM", "USER", "ADDRESS", "VERDICT", "WHY");
	json_array_foreach(rows, i, row) print_row(out, row, form);
}

/* --- the rest --- */

static void
print_counts(FILE *out, json_t *root, enum trace_form form)
{
	const char *word;
	json_t *count;

	if (form == TRACE_TABLE && number_of(root, "streams") == 0)
		fputs("\nno stream is known, neither open nor ended\n", out);
	else if (form == TRACE_TABLE)
		fprintf(out, "\n%" JSON_INTEGER_FORMAT " streams\n",
		    number_of(root, "streams"));
	json_object_foreach(json_object_get(root, "counts"), word, count)
	{
		if (form == TRACE_TABLE && json_integer_value(count) == 0)
			continue;
		fprintf(out,
		    form == TRACE_TABLE ? "  %s %" JSON_INTEGER_FORMAT "\n"
					: "count\t%s\t%" JSON_INTEGER_FORMAT
					  "\n",
		    word, json_integer_value(count));
	}
}

static void
print_rest(FILE *out, const json_t *root, enum trace_form form)
{
	size_t i;
	const json_t *worker;

	json_array_foreach(json_object_get(root, "late"), i, worker)
	    fprintf(out,
		form == TRACE_TABLE ? "worker %" JSON_INTEGER_FORMAT
				      " did not answer: its "
				      "streams are missing\n"
				    : "late\t%" JSON_INTEGER_FORMAT "\n",
		json_integer_value(worker));
	if (form == TRACE_LINES)
		print_member(
		    out, form, "remembered", text_of(root, "remembered"));
	else if (strcmp(text_of(root, "remembered"),
		     text_of(root, "published")) > 0)
		fprintf(out,
		    "streams that ended before %s are not all remembered\n",
		    text_of(root, "remembered"));
}

int
trace_report_print(
    FILE *out, const char *json, enum trace_form form, enum trace_found *found)
{
	json_t *root = json_loads(json, 0, NULL);

	if (!json_is_object(root)) {
		json_decref(root);
		return -1;
	}
	if (json_is_object(json_object_get(root, "event")))
		*found = TRACE_FOUND;
	else if (json_array_size(json_object_get(root, "late")) > 0)
		*found = TRACE_LATE;
	else
		*found = TRACE_GONE;
	print_event(out, root, form);
	print_rows(out, root, form);
	print_counts(out, root, form);
	print_rest(out, root, form);
	json_decref(root);
	return 0;
}
