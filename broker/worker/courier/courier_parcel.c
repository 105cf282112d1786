/* courier_parcel: one event, ready to be sent. See courier_parcel.h. */
#include "broker/worker/courier/courier_parcel.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/buf.h"

/* The message of an event; buf_failed() when there is no memory. */
static void
write_message(struct buf *buf, const struct courier_event *event, uint64_t seq,
    enum courier_receipts receipts)
{
	struct message message = {
	    .type = MESSAGE_PUBLISH,
	    .seq = seq,
	    .event = event->event,
	};

	switch (event->event.kind) {
	case EVENT_TEXT:
		message.flags = MESSAGE_FLAG_TEXT;
		break;
	case EVENT_JSON:
		message.flags = MESSAGE_FLAG_JSON;
		break;
	case EVENT_BYTES:
		message.data = MESSAGE_DATA_BYTES;
		break;
	case EVENT_RESYNC:
		message.type = MESSAGE_RESYNC;
		break;
	}
	if (receipts == COURIER_RECEIPTS)
		message.flags |= MESSAGE_FLAG_RECEIPT;
	if (receipts == COURIER_COUNTS)
		message.flags |= MESSAGE_FLAG_COUNTS;
	message_write(buf, &message);
}

struct parcel *
parcel_create(const struct courier_event *event, uint64_t seq,
    enum courier_receipts receipts)
{
	struct parcel *parcel = NULL;
	struct buf message;

	buf_init(&message, 0);
	write_message(&message, event, seq, receipts);
	if (!buf_failed(&message))
		parcel = malloc(sizeof(*parcel) + buf_length(&message));
	if (parcel != NULL) {
		*parcel = (struct parcel){
		    .seq = seq,
		    .receipt = receipts != COURIER_NO_RECEIPTS,
		    .who_len = (uint8_t)event->identity.len,
		    .len = buf_length(&message),
		};
		memcpy(parcel->message, buf_bytes(&message), parcel->len);
		if (event->identity.len > 0)
			memcpy(parcel->who, event->identity.bytes,
			    event->identity.len);
	}
	buf_finish(&message);
	return parcel;
}

void
parcels_init(struct parcels *parcels)
{
	parcels->first = NULL;
	parcels->end = &parcels->first;
}

void
parcels_append(struct parcels *parcels, struct parcel *parcel)
{
	parcel->next = NULL;
	*parcels->end = parcel;
	parcels->end = &parcel->next;
}

struct parcel *
parcels_take(struct parcels *parcels)
{
	struct parcel *first = parcels->first;

	parcels->first = first->next;
	if (parcels->first == NULL)
		parcels->end = &parcels->first;
	return first;
}

struct slice
parcel_who(const struct parcel *parcel)
{
	return slice_of(parcel->who, parcel->who_len);
}

size_t
parcel_bytes(const struct parcel *parcel)
{
	return sizeof(*parcel) + parcel->len;
}
