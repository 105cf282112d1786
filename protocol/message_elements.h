/*
 * message_elements: the elements of a message's array, one by one; a part of
 * message, for no other.
 */
#ifndef SSEMUX_PROTOCOL_MESSAGE_ELEMENTS_H
#define SSEMUX_PROTOCOL_MESSAGE_ELEMENTS_H

#include <msgpack.h>

#include "protocol/message.h"

/* What is wrong with the message, and where. */
static inline struct fault
fault_of(enum refusal refusal, const char *field)
{
	return (struct fault){refusal, field};
}

static const struct fault no_fault = {REFUSAL_NONE, NULL};

/* The elements of the message's array; one that is missing reads as nil. */
struct elements {
	const msgpack_object *at;
	uint32_t count;
};

static inline msgpack_object
element(const struct elements *elements, uint32_t index)
{
	if (index < elements->count)
		return elements->at[index];
	return (msgpack_object){.type = MSGPACK_OBJECT_NIL};
}

/* A number from 0 to max; false for anything else. */
static inline bool
element_number(const struct elements *elements, uint32_t index, uint64_t max,
    uint64_t *number)
{
	msgpack_object object = element(elements, index);

	if (object.type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
	    object.via.u64 > max)
		return false;
	*number = object.via.u64;
	return true;
}

static inline bool
element_text(
    const struct elements *elements, uint32_t index, struct slice *text)
{
	msgpack_object object = element(elements, index);

	if (object.type != MSGPACK_OBJECT_STR)
		return false;
	*text = slice_of(object.via.str.ptr, object.via.str.size);
	return true;
}

/* Text, or nil, which reads as the empty slice. */
static inline bool
element_optional_text(
    const struct elements *elements, uint32_t index, struct slice *text)
{
	*text = slice_of(NULL, 0);
	return element(elements, index).type == MSGPACK_OBJECT_NIL ||
	       element_text(elements, index, text);
}

static inline struct fault
read_seq(const struct elements *elements, struct message *message)
{
	uint64_t seq;

	if (!element_number(elements, 1, MESSAGE_SEQ_MAX, &seq) || seq == 0)
		return fault_of(REFUSAL_SEQ, "seq");
	message->seq = seq;
	return no_fault;
}

/* In message_command.c. */
struct fault message_read_command(
    const struct elements *elements, struct message *message);
struct fault message_read_done(
    const struct elements *elements, struct message *message);
struct fault message_read_failed(
    const struct elements *elements, struct message *message);

#endif
