/* message_command: commands and what became of them. See message.h. */
#include "protocol/cursor_id.h"
#include "protocol/message_elements.h"
#include "protocol/utf8.h"

static const char *const names[] = {
    [MESSAGE_KICK] = "kick",
    [MESSAGE_REVOKE] = "revoke",
    [MESSAGE_RESTORE] = "restore",
    [MESSAGE_TRACE] = "trace",
    [MESSAGE_EXPLAIN] = "explain",
    [MESSAGE_DRAIN] = "drain",
};

enum { COMMANDS = sizeof(names) / sizeof(names[0]) };

const char *
message_command_name(enum message_command command)
{
	return names[command];
}

static bool
find_command(struct slice name, enum message_command *command)
{
	for (int i = 0; i < COMMANDS; i++) {
		if (slice_is(name, names[i])) {
			*command = (enum message_command)i;
			return true;
		}
	}
	return false;
}

static bool
read_id(const struct elements *elements, struct message *message)
{
	uint64_t id;

	if (!element_number(elements, 1, MESSAGE_SEQ_MAX, &id) || id == 0)
		return false;
	message->id = id;
	return true;
}

static bool
has_user(enum message_command command)
{
	return command != MESSAGE_DRAIN && command != MESSAGE_TRACE;
}

struct fault
message_read_command(const struct elements *elements, struct message *message)
{
	struct slice name;

	if (!read_id(elements, message))
		return fault_of(REFUSAL_MALFORMED, "id");
	if (!element_text(elements, 2, &name) ||
	    !find_command(name, &message->command))
		return fault_of(REFUSAL_COMMAND, "command");
	if (!has_user(message->command)
		? !element_optional_text(elements, 3, &message->user)
		: !element_text(elements, 3, &message->user))
		return fault_of(REFUSAL_USER, "user");
	if (!element_optional_text(elements, 4, &message->pattern))
		return fault_of(REFUSAL_PATTERN, "channel");
	return no_fault;
}

struct fault
message_read_done(const struct elements *elements, struct message *message)
{
	if (!read_id(elements, message) ||
	    !element_number(elements, 2, MESSAGE_SEQ_MAX, &message->count) ||
	    !element_number(elements, 3, MESSAGE_SEQ_MAX, &message->late))
		return fault_of(REFUSAL_MALFORMED, "count");
	if (!element_optional_text(elements, 4, &message->text))
		return fault_of(REFUSAL_MALFORMED, "text");
	return no_fault;
}

struct fault
message_read_failed(const struct elements *elements, struct message *message)
{
	if (!read_id(elements, message) ||
	    !element_text(elements, 2, &message->code) ||
	    !element_optional_text(elements, 3, &message->field) ||
	    !element_text(elements, 4, &message->text))
		return fault_of(REFUSAL_MALFORMED, "code");
	return no_fault;
}

static bool
user_valid(struct slice user)
{
	if (user.len == 0 || user.len > MESSAGE_USER_MAX)
		return false;
	for (size_t i = 0; i < user.len; i++) {
		unsigned char c = (unsigned char)user.bytes[i];

		if (c < 0x20 || c == 0x7F)
			return false;
	}
	return utf8_valid(user.bytes, user.len);
}

struct fault
message_check_command(const struct message *command)
{
	bool whole = command->pattern.len == 0;
	bool right = event_pattern_valid(command->pattern);
	bool of_user = has_user(command->command);
	uint64_t cursor;

	if (of_user ? !user_valid(command->user) : command->user.len > 0)
		return fault_of(REFUSAL_USER, "user");
	switch (command->command) {
	case MESSAGE_KICK:
	case MESSAGE_DRAIN:
		right = whole;
		break;
	case MESSAGE_REVOKE:
		break;
	case MESSAGE_TRACE:
	case MESSAGE_EXPLAIN:
		if (cursor_id_parse(command->pattern.bytes,
			command->pattern.len, &cursor) == 0 &&
		    cursor > 0)
			return no_fault;
		return fault_of(REFUSAL_CURSOR, "cursor");
	case MESSAGE_RESTORE:
		right = right || whole;
		break;
	}
	return right ? no_fault : fault_of(REFUSAL_PATTERN, "channel");
}
