/*
 * Fuzzes the body of a POST /publish: whatever it is, events come out that are
 * good or have a fault, and their slices lie where they may.
 */
#include "broker/worker/http/publish_request.h"

#include "protocol/json.h"
#include "protocol/utf8.h"
#include "tests/fuzz/fuzz.h"

static const struct publish_limits limits = {.events = 20, .data = 200};

static bool
lies_within(struct slice part, const char *bytes, size_t len)
{
	return part.len == 0 ||
	       (part.bytes >= bytes && part.bytes + part.len <= bytes + len);
}

static void
check_place(
    const struct publish_request *request, struct slice part, struct slice body)
{
	must(lies_within(part, body.bytes, body.len) ||
	     lies_within(
		 part, buf_bytes(&request->text), buf_length(&request->text)));
}

static void
check_event(const struct publish_request *request,
    const struct publish_event *entry, struct slice body)
{
	const struct event *event = &entry->event;

	check_place(request, event->channel, body);
	check_place(request, event->type, body);
	check_place(request, event->key, body);
	check_place(request, event->data, body);
	check_place(request, entry->id, body);
	if (entry->fault.refusal != REFUSAL_NONE)
		return;
	must(event_channel_valid(event->channel));
	must(event->data.len <= limits.data);
	must(entry->id.len <= PUBLISH_ID_MAX);
	must(event->kind != EVENT_JSON ||
	     json_valid(event->data.bytes, event->data.len));
	must(event->kind == EVENT_BYTES ||
	     utf8_valid(event->data.bytes, event->data.len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_copy(data, size);
	struct slice body = slice_of(bytes, size);
	struct publish_request request;

	switch (publish_read_json(&request, body, &limits)) {
	case PUBLISH_READ:
		must(request.count > 0 && request.count <= limits.events);
		must(!buf_failed(&request.text));
		must(json_valid(bytes, size));
		for (size_t i = 0; i < request.count; i++)
			check_event(&request, &request.events[i], body);
		break;
	case PUBLISH_BAD:
		must(*request.why != '\0');
		break;
	case PUBLISH_MANY:
	case PUBLISH_NO_MEMORY:
		break;
	}
	publish_finish(&request);
	free(bytes);
	return 0;
}
