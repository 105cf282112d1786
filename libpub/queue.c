/* queue: events between the caller and the broker's word. See queue.h. */
#include "libpub/queue.h"

#include <errno.h>
#include <stdlib.h>

void
queue_init(struct queue *queue, size_t max_events, size_t max_bytes)
{
	*queue =
	    (struct queue){.max_events = max_events, .max_bytes = max_bytes};
}

static void
list_append(struct entry_list *list, struct entry *entry)
{
	entry->following = NULL;
	if (list->last == NULL)
		list->first = entry;
	else
		list->last->following = entry;
	list->last = entry;
}

static struct entry *
list_take_first(struct entry_list *list)
{
	struct entry *entry = list->first;

	list->first = entry->following;
	if (list->first == NULL)
		list->last = NULL;
	return entry;
}

static void
list_free(struct entry_list *list)
{
	while (list->first != NULL)
		free(list_take_first(list));
}

void
queue_finish(struct queue *queue)
{
	list_free(&queue->unacked);
	list_free(&queue->receipts);
	queue_init(queue, 0, 0);
}

static size_t
event_bytes(const struct event *event)
{
	return event->channel.len + event->type.len + event->key.len +
	       event->data.len;
}

static size_t
entry_size(const struct entry *entry)
{
	return sizeof(*entry) + entry->channel_len + entry->type_len +
	       entry->key_len + entry->data_len;
}

static char *
put(char *at, struct slice slice)
{
	if (slice.len > 0)
		memcpy(at, slice.bytes, slice.len);
	return at + slice.len;
}

static struct entry *
entry_create(const struct message *message, void *ticket)
{
	const struct event *event = &message->event;
	struct entry *entry = malloc(sizeof(*entry) + event_bytes(event));
	char *at;

	if (entry == NULL)
		return NULL;
	*entry = (struct entry){
	    .ticket = ticket,
	    .type = message->type,
	    .data = message->data,
	    .flags = message->flags,
	    .channel_len = (uint16_t)event->channel.len,
	    .type_len = (uint16_t)event->type.len,
	    .key_len = (uint16_t)event->key.len,
	    .data_len = event->data.len,
	};
	at = put(entry->bytes, event->channel);
	at = put(at, event->type);
	at = put(at, event->key);
	put(at, event->data);
	return entry;
}

struct entry *
queue_push(struct queue *queue, const struct message *message, void *ticket)
{
	size_t size = sizeof(struct entry) + event_bytes(&message->event);
	struct entry *entry;

	if (size > queue->max_bytes) {
		errno = EMSGSIZE;
		return NULL;
	}
	if (queue->events >= queue->max_events ||
	    size > queue->max_bytes - queue->bytes) {
		errno = EAGAIN;
		return NULL;
	}
	entry = entry_create(message, ticket);
	if (entry == NULL)
		return NULL;
	entry->number = ++queue->taken;
	list_append(&queue->unacked, entry);
	if (queue->next == NULL)
		queue->next = entry;
	queue->events++;
	queue->unacked_events++;
	queue->bytes += size;
	return entry;
}

void
entry_message(const struct entry *entry, struct message *message)
{
	const char *at = entry->bytes;

	*message = (struct message){
	    .type = entry->type,
	    .data = entry->data,
	    .seq = entry->seq,
	    .flags = entry->flags,
	};
	message->event.channel = slice_of(at, entry->channel_len);
	at += entry->channel_len;
	message->event.type = slice_of(at, entry->type_len);
	at += entry->type_len;
	message->event.key = slice_of(at, entry->key_len);
	at += entry->key_len;
	message->event.data = slice_of(at, entry->data_len);
}

void
queue_pass_sent(struct queue *queue)
{
	queue->next = queue->next->following;
	queue->sent_events++;
}

void
queue_pass_refused(struct queue *queue, enum refusal refusal)
{
	queue->next->refusal = refusal;
	queue->next = queue->next->following;
}

/* The front, if `next` has passed it. */
static struct entry *
passed_front(const struct queue *queue)
{
	struct entry *front = queue->unacked.first;

	return front == queue->next ? NULL : front;
}

struct entry *
queue_front_sent(const struct queue *queue)
{
	struct entry *front = passed_front(queue);

	if (front == NULL || front->refusal != REFUSAL_NONE)
		return NULL;
	return front;
}

struct entry *
queue_front_refused(const struct queue *queue)
{
	struct entry *front = passed_front(queue);

	if (front == NULL || front->refusal == REFUSAL_NONE)
		return NULL;
	return front;
}

/* Takes the front out of the unacknowledged; it still counts as held. */
static struct entry *
detach_front(struct queue *queue)
{
	bool sent = queue_front_sent(queue) != NULL;
	struct entry *entry = list_take_first(&queue->unacked);

	if (entry == queue->next)
		queue->next = queue->unacked.first;
	if (sent)
		queue->sent_events--;
	queue->unacked_events--;
	return entry;
}

struct entry *
queue_take_front(struct queue *queue)
{
	struct entry *entry;

	if (queue->unacked.first == NULL)
		return NULL;
	entry = detach_front(queue);
	queue->events--;
	queue->bytes -= entry_size(entry);
	return entry;
}

void
queue_move_to_receipts(struct queue *queue)
{
	list_append(&queue->receipts, detach_front(queue));
}

const struct receipt queue_receipt_lost = {-1, -1, -1, -1, -1};

static int64_t
count_of(uint64_t count)
{
	return count > INT64_MAX ? -1 : (int64_t)count;
}

static struct receipt
receipt_of(const struct message *message)
{
	struct receipt receipt = queue_receipt_lost;

	receipt.notified = count_of(message->notified);
	if (!message->counted)
		return receipt;
	receipt.matched = count_of(message->counts.matched);
	receipt.lagging = count_of(message->counts.lagging);
	receipt.filtered = count_of(message->counts.filtered);
	receipt.late = count_of(message->late);
	return receipt;
}

void
queue_note_receipt(struct queue *queue, const struct message *receipt)
{
	struct entry *entry = queue->receipts.first;

	/* Sequence numbers rise along the list. */
	while (entry != NULL && entry->seq < receipt->seq)
		entry = entry->following;
	if (entry == NULL || entry->seq != receipt->seq || entry->receipt_is_in)
		return;
	entry->receipt_is_in = true;
	entry->receipt = receipt_of(receipt);
}

void
queue_note_receipts_lost(struct queue *queue)
{
	struct entry *entry = queue->receipts.first;

	for (; entry != NULL; entry = entry->following) {
		if (entry->receipt_is_in)
			continue;
		entry->receipt_is_in = true;
		entry->receipt = queue_receipt_lost;
	}
}

struct entry *
queue_take_receipt(struct queue *queue)
{
	struct entry *entry = queue->receipts.first;

	if (entry == NULL || !entry->receipt_is_in)
		return NULL;
	list_take_first(&queue->receipts);
	queue->events--;
	queue->bytes -= entry_size(entry);
	return entry;
}

void
queue_rewind(struct queue *queue)
{
	struct entry *entry = queue->unacked.first;

	for (; entry != NULL && entry != queue->next; entry = entry->following)
		entry->refusal = REFUSAL_NONE;
	queue->next = queue->unacked.first;
	queue->sent_events = 0;
}
