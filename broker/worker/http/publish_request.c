/* publish_request: from a body to events. See publish_request.h. */
#include "broker/worker/http/publish_request.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/json.h"
#include "protocol/json_walk.h"
#include "protocol/utf8.h"

enum { NAME_SHOWN = 40 }; /* bytes of a member's name, with its quotes */

/* The members of one event, as they stand in the body; bytes NULL: missing. */
struct members {
	struct slice channel;
	struct slice type;
	struct slice key;
	struct slice data;
	struct slice id;
	struct slice json;
	struct slice receipt;
};

static enum publish_read
bad(struct publish_request *request, const char *what)
{
	snprintf(request->why, sizeof(request->why), "entry %zu: %s",
	    request->count + 1, what);
	return PUBLISH_BAD;
}

/* The same of a member, with its name, as far as that is plain and short. */
static enum publish_read
bad_member(struct publish_request *request, const char *what, struct slice name)
{
	char text[NAME_SHOWN + 32];
	size_t len = name.len < NAME_SHOWN ? name.len : NAME_SHOWN;

	snprintf(text, sizeof(text), "%s: %.*s", what, (int)len, name.bytes);
	for (char *c = text; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return bad(request, text);
}

/* Says where the body goes wrong; counted from 1, as editors do. */
static enum publish_read
bad_body(struct publish_request *request, struct slice body)
{
	bool deep;
	size_t good;

	if (!utf8_valid(body.bytes, body.len)) {
		snprintf(request->why, sizeof(request->why),
		    "the body is not UTF-8");
		return PUBLISH_BAD;
	}
	good = json_fault(body.bytes, body.len, &deep);
	snprintf(request->why, sizeof(request->why),
	    "the body is not JSON%s, near byte %zu of %zu",
	    deep ? ", or nested too deeply" : "",
	    good < body.len ? good + 1 : body.len, body.len);
	return PUBLISH_BAD;
}

static struct slice *
member_of(struct members *members, struct slice name)
{
	const struct {
		const char *name;
		struct slice *value;
	} known[] = {
	    {"channel", &members->channel},
	    {"type", &members->type},
	    {"key", &members->key},
	    {"data", &members->data},
	    {"id", &members->id},
	    {"json", &members->json},
	    {"receipt", &members->receipt},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (json_string_is(name, known[i].name))
			return known[i].value;
	}
	return NULL;
}

static enum publish_read
read_members(struct publish_request *request, struct slice object,
    struct members *members)
{
	struct json_walk walk;
	struct slice name, value;

	if (!json_walk_object(&walk, object))
		return bad(request, "not a JSON object");
	while (json_walk_member(&walk, &name, &value)) {
		struct slice *member = member_of(members, name);

		if (member == NULL)
			return bad_member(
			    request, "a member that is not known", name);
		if (member->bytes != NULL)
			return bad_member(
			    request, "a member is given twice", name);
		*member = value;
	}
	return PUBLISH_READ;
}

/* Decodes a string; the buffer has room, so that slices stay where they are. */
static bool
decode(
    struct publish_request *request, struct slice string, struct slice *decoded)
{
	size_t before = buf_length(&request->text);

	if (json_string_decode(string, &request->text) == -1)
		return false;
	*decoded = slice_of(buf_bytes(&request->text) + before,
	    buf_length(&request->text) - before);
	return true;
}

/* A member that is a string, or null, which is as good as nothing. False: it
 * is neither, or not Unicode. */
static bool
take_label(
    struct publish_request *request, struct slice member, struct slice *label)
{
	*label = slice_of(NULL, 0);
	if (member.bytes == NULL || slice_is(member, "null"))
		return true;
	return json_is_string(member) && decode(request, member, label);
}

static bool
take_switch(struct slice member, bool *on)
{
	*on = slice_is(member, "true");
	return member.bytes == NULL || *on || slice_is(member, "false");
}

/* A string is the text that it stands for, anything else stays what it is. */
static bool
take_data(struct publish_request *request, struct slice member, bool json,
    struct event *event, enum event_meaning *meaning)
{
	*meaning = EVENT_AS_JSON;
	if (!json_is_string(member)) {
		event->data = member;
		return true;
	}
	if (!json)
		*meaning = EVENT_AS_TEXT;
	return decode(request, member, &event->data);
}

static struct fault
check(const struct publish_event *entry, struct event *event,
    enum event_meaning meaning, const struct publish_limits *limits)
{
	if (entry->id.len > PUBLISH_ID_MAX)
		return (struct fault){REFUSAL_KEY, "id"};
	if (event->data.bytes == NULL)
		return (struct fault){REFUSAL_DATA, "data"};
	return event_check(event, meaning, limits->data);
}

static enum publish_read
take_event(struct publish_request *request, const struct members *members,
    const struct publish_limits *limits)
{
	struct publish_event *entry = &request->events[request->count];
	enum event_meaning meaning;
	bool json, receipt;

	if (!take_label(request, members->channel, &entry->event.channel))
		return bad(
		    request, "channel is no string, or half a surrogate pair");
	if (!take_label(request, members->type, &entry->event.type))
		return bad(
		    request, "type is no string, or half a surrogate pair");
	if (!take_label(request, members->key, &entry->event.key))
		return bad(
		    request, "key is no string, or half a surrogate pair");
	if (!take_label(request, members->id, &entry->id))
		return bad(
		    request, "id is no string, or half a surrogate pair");
	if (!take_switch(members->json, &json) ||
	    !take_switch(members->receipt, &receipt))
		return bad(request, "json and receipt are true or false");
	if (!take_data(request, members->data, json, &entry->event, &meaning))
		return bad(request, "data are half a surrogate pair");
	request->receipt |= receipt;
	entry->fault = check(entry, &entry->event, meaning, limits);
	request->count++;
	return PUBLISH_READ;
}

static enum publish_read
read_event(struct publish_request *request, struct slice object,
    const struct publish_limits *limits)
{
	struct members members = {.json = {NULL, 0}};
	enum publish_read result = read_members(request, object, &members);

	if (result != PUBLISH_READ)
		return result;
	return take_event(request, &members, limits);
}

static size_t
count_elements(struct slice list)
{
	struct json_walk walk;
	struct slice element;
	size_t count = 0;

	if (!json_walk_array(&walk, list))
		return 1;
	while (json_walk_element(&walk, &element))
		count++;
	return count;
}

static enum publish_read
read_list(struct publish_request *request, struct slice list,
    const struct publish_limits *limits)
{
	struct json_walk walk;
	struct slice element;

	request->list = true;
	json_walk_array(&walk, list);
	while (json_walk_element(&walk, &element)) {
		enum publish_read result = read_event(request, element, limits);

		if (result != PUBLISH_READ)
			return result;
	}
	return PUBLISH_READ;
}

/* Memory for so many events, and for all that their strings can stand for. */
static bool
make_room(struct publish_request *request, size_t events, size_t bytes)
{
	request->events = calloc(events, sizeof(request->events[0]));
	return request->events != NULL &&
	       buf_reserve(&request->text, bytes + 1) != NULL;
}

enum publish_read
publish_read_json(struct publish_request *request, struct slice body,
    const struct publish_limits *limits)
{
	struct json_walk walk;
	size_t count;

	*request = (struct publish_request){.count = 0};
	buf_init(&request->text, 0);
	if (!utf8_valid(body.bytes, body.len) ||
	    !json_valid(body.bytes, body.len))
		return bad_body(request, body);
	count = count_elements(body);
	if (count == 0) {
		snprintf(
		    request->why, sizeof(request->why), "the list is empty");
		return PUBLISH_BAD;
	}
	if (count > limits->events)
		return PUBLISH_MANY;
	if (!make_room(request, count, body.len))
		return PUBLISH_NO_MEMORY;
	if (json_walk_array(&walk, body))
		return read_list(request, body, limits);
	return read_event(request, slice_trim(body), limits);
}

enum publish_read
publish_read_raw(struct publish_request *request, struct slice body,
    const struct publish_query *query, enum event_meaning meaning,
    const struct publish_limits *limits)
{
	struct publish_event *entry;

	*request = (struct publish_request){.count = 0};
	buf_init(&request->text, 0);
	if (!make_room(request, 1, 0))
		return PUBLISH_NO_MEMORY;
	entry = &request->events[0];
	entry->id = query->id;
	entry->event = (struct event){
	    .channel = query->channel,
	    .type = query->type,
	    .key = query->key,
	    /* An empty body is empty data, and no missing ones. */
	    .data = body.bytes != NULL ? body : slice_of("", 0),
	};
	entry->fault = check(entry, &entry->event, meaning, limits);
	request->count = 1;
	return PUBLISH_READ;
}

void
publish_finish(struct publish_request *request)
{
	free(request->events);
	buf_finish(&request->text);
	*request = (struct publish_request){.count = 0};
}
