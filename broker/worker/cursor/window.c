/* window: recent events and their frames. See window.h. */
#include "broker/worker/cursor/window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t
power_not_above(size_t number)
{
	size_t power = 1;

	while (power * 2 <= number)
		power *= 2;
	return power;
}

int
window_init(struct window *window, size_t bytes, size_t events,
    const struct sse_shape *shapes, size_t shape_count)
{
	*window = (struct window){
	    .size = power_not_above(events),
	    .entry_bytes = sizeof(struct window_entry) +
			   shape_count * sizeof(struct window_frame),
	    .shapes = shapes,
	    .shape_count = shape_count,
	};
	buf_init(&window->scratch, 0);
	window->entries = calloc(window->size, window->entry_bytes);
	window->marks = calloc(window->size, sizeof(window->marks[0]));
	if (window->entries == NULL || window->marks == NULL ||
	    arena_init(&window->records, bytes, 8) == -1 ||
	    arena_init(&window->frames, bytes / 2, 1) == -1) {
		window_finish(window);
		return -1;
	}
	return 0;
}

void
window_finish(struct window *window)
{
	free(window->entries);
	free(window->marks);
	window->entries = NULL;
	window->marks = NULL;
	arena_finish(&window->records);
	arena_finish(&window->frames);
	buf_finish(&window->scratch);
}

void
window_reset(struct window *window, uint64_t cursor)
{
	window->first = window->end;
	window->floor = window->head = cursor;
}

static const struct record *
entry_record(const struct window *window, const struct window_entry *entry)
{
	return (const struct record *)(void *)arena_at(
	    &window->records, entry->record_at);
}

static void
let_go_oldest(struct window *window)
{
	window->floor = window_entry(window, window->first)->cursor;
	window->first++;
}

void *
window_reserve(struct window *window, size_t size)
{
	if (size > window->records.size / 4)
		return NULL;
	window->reserved_at =
	    arena_plan(&window->records, size, &window->reserved_tail);
	if (window->end - window->first == window->size)
		let_go_oldest(window);
	while (window->first < window->end &&
	       window_entry(window, window->first)->record_at <
		   window->reserved_tail)
		let_go_oldest(window);
	return arena_at(&window->records, window->reserved_at);
}

uint64_t
window_commit(struct window *window, uint32_t hash)
{
	struct window_entry *entry = window_entry(window, window->end);
	const struct record *record = (const struct record *)(void *)arena_at(
	    &window->records, window->reserved_at);

	arena_take(&window->records, window->reserved_at, record->size,
	    window->reserved_tail);
	assert(record->cursor > window->head);
	memset(entry, 0, window->entry_bytes);
	entry->cursor = record->cursor;
	entry->record_at = window->reserved_at;
	window->marks[window->end & (window->size - 1)] = (uint16_t)hash;
	window->head = record->cursor;
	return window->end++;
}

struct event
window_event(const struct window *window, const struct window_entry *entry)
{
	return record_event(entry_record(window, entry));
}

uint32_t
window_receipt(const struct window *window, const struct window_entry *entry)
{
	return entry_record(window, entry)->receipt;
}

uint64_t
window_find(const struct window *window, uint64_t cursor)
{
	uint64_t low = window->first;
	uint64_t high = window->end;

	if (cursor >= window->head)
		return high;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (window_entry(window, middle)->cursor <= cursor)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes a frame and keeps it, if it may be kept. */
static enum window_got
make_frame(struct window *window, struct window_entry *entry, size_t shape,
    uint64_t pin, struct frame *frame)
{
	struct event event = window_event(window, entry);
	struct arena *arena = &window->frames;
	uint64_t position, tail;

	buf_clear(&window->scratch);
	*frame = frame_append(&window->scratch, &event, &window->shapes[shape]);
	if (frame->bytes == NULL || frame->len > arena->size / 4)
		return WINDOW_ALONE;
	position = arena_plan(arena, frame->len, &tail);
	if (tail > pin)
		return WINDOW_WAIT;
	memcpy(arena_take(arena, position, frame->len, tail), frame->bytes,
	    frame->len);
	entry->frames[shape] = (struct window_frame){
	    .at = position,
	    .len = (uint32_t)frame->len,
	    .head_len = (uint32_t)frame->head_len,
	};
	return WINDOW_FRAME;
}

enum window_got
window_frame(struct window *window, uint64_t number, size_t shape,
    uint64_t *pin, struct frame *frame)
{
	struct window_entry *entry = window_entry(window, number);
	struct window_frame *kept = &entry->frames[shape];

	if (kept->len == 0 || kept->at < window->frames.tail) {
		enum window_got got =
		    make_frame(window, entry, shape, *pin, frame);

		if (got != WINDOW_FRAME)
			return got;
	}
	*frame = (struct frame){
	    .bytes = arena_at(&window->frames, kept->at),
	    .len = kept->len,
	    .head_len = kept->head_len,
	};
	if (kept->at < *pin)
		*pin = kept->at;
	return WINDOW_FRAME;
}
