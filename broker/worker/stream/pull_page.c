/*
 * pull_page: reading a page. See pull_page.h.
 *
 * From the window when that has all behind the cursor, else from the store, in
 * one step: so many events, so many bytes, and so many that are looked at. The
 * page ends before the first event that is wanted and does not fit; when what
 * is looked at ends it, it may be short, or empty, and yet have more.
 */
#include "broker/worker/stream/pull_page.h"

#include "broker/shared/filter.h"
#include "broker/shared/report.h"
#include "broker/shared/sse.h"
#include "broker/worker/connection.h"
#include "broker/worker/control.h"
#include "broker/worker/cursor/store_read.h"
#include "broker/worker/reply.h"
#include "broker/worker/stream/opening.h"
#include "broker/worker/worker_state.h"
#include "protocol/json.h"

enum {
	LIMIT_MAX = 1000,
	LIMIT_DEFAULT = 100,
	PAGE_BYTES = 1048576, /* no event is added to so many */
	WINDOW_ENTRIES = 8192,
	STORE_ROWS = 2048,
};

struct page {
	const struct opening *opening;
	struct worker *worker;
	struct store_request request; /* channels, and from where to where */
	size_t limit;
	size_t count;
	uint64_t reached; /* nothing up to here is left to read */
	struct buf events;
	struct buf resync; /* names, see control_list_add() */
	const char *reason;
};

/* --- what is asked --- */

static bool
read_limit(struct opening *opening, size_t *limit)
{
	struct slice text = opening->query.limit;

	*limit = text.bytes == NULL ? LIMIT_DEFAULT : 0;
	for (size_t i = 0; i < text.len && *limit <= LIMIT_MAX; i++) {
		unsigned digit = (unsigned char)text.bytes[i] - '0';

		*limit = digit > 9 ? LIMIT_MAX + 1 : *limit * 10 + digit;
	}
	if (*limit > 0 && *limit <= LIMIT_MAX)
		return true;
	opening_refuse(opening, PROBLEM_LIMIT_INVALID, NULL);
	return false;
}

/* There is one format of pages. */
static bool
read_format(struct opening *opening)
{
	struct slice format = opening->query.format;

	if (format.bytes == NULL || slice_is(format, "tagged"))
		return true;
	opening_refuse(opening, PROBLEM_FORMAT_INVALID,
	    "a page of JSON has the format tagged");
	return false;
}

/* --- what is on it --- */

static bool
is_closed(const struct page *page, struct slice channel)
{
	return patterns_cover(&page->opening->grants.revoked, channel);
}

static bool
is_wanted(const struct page *page, const struct event *event)
{
	if (is_closed(page, event->channel))
		return false;
	return event->kind == EVENT_RESYNC ||
	       filter_passes(page->opening->filter, event->type, event->key);
}

/* A name that is there already is not added again: losses come first, and what
 * publishers ask for may come often. */
static void
add_resync(struct page *page, struct slice name, const char *reason)
{
	struct buf text;

	buf_init(&text, 0);
	json_append_string(&text, name.bytes, name.len);
	if (buf_length(&page->resync) == 0 ||
	    memmem(buf_bytes(&page->resync), buf_length(&page->resync),
		buf_bytes(&text), buf_length(&text)) == NULL)
		control_list_add(&page->resync, name);
	page->resync.failed |= buf_failed(&text);
	buf_finish(&text);
	if (page->reason == NULL)
		page->reason = reason;
}

/* Takes an event of the page's channels. False: the page is full. */
static bool
take(const struct event *event, void *context)
{
	struct page *page = context;

	if (!is_wanted(page, event))
		return true;
	if (page->count == page->limit ||
	    buf_length(&page->events) >= PAGE_BYTES)
		return false;
	page->count++;
	if (event->kind == EVENT_RESYNC) {
		add_resync(page, event->channel, "publisher");
		return true;
	}
	if (buf_length(&page->events) > 0)
		buf_append_char(&page->events, ',');
	sse_append_object(&page->events, event);
	return true;
}

static void
note_lost(struct slice name, void *context)
{
	struct page *page = context;

	/* Not even the name of what may not be seen. */
	if (!is_closed(page, name))
		add_resync(page, name, "history");
}

/* --- reading --- */

static void
read_window(struct page *page)
{
	const struct window *window = &page->worker->window;
	uint64_t number = window_find(window, page->request.after);

	for (int i = 0; number < window->end; i++, number++) {
		const struct window_entry *entry = window_entry(window, number);
		struct event event = window_event(window, entry);

		if (i == WINDOW_ENTRIES ||
		    (store_request_covers(&page->request, event.channel) &&
			!take(&event, page)))
			return;
		page->reached = entry->cursor;
	}
	page->reached = page->request.until;
}

static int
read_store(struct page *page)
{
	struct store_reader *store = page->worker->store;
	uint64_t losses = page->opening->start.losses;
	int result;

	worker_count(page->worker, METRIC_STORE_READS, 1);
	if (store_read_begin(store) == -1)
		return -1;
	result =
	    store_read_losses(store, &page->request, &losses, note_lost, page);
	if (result == 0)
		result = store_read_events(
		    store, &page->request, take, page, &page->reached);
	store_read_end(store);
	return result;
}

static int
read_page(struct page *page)
{
	const struct store_request *request = &page->request;

	if (page->opening->start.bad_cursor) {
		for (size_t i = 0; i < request->pattern_count; i++)
			add_resync(page, request->patterns[i], "cursor");
	}
	if (request->after < page->worker->window.floor)
		return read_store(page);
	read_window(page);
	return 0;
}

/* --- the answer --- */

static void
append_list(struct buf *body, const char *name, const struct buf *list)
{
	buf_printf(body, ",\"%s\":[", name);
	buf_append(body, buf_bytes(list), buf_length(list));
	buf_append_char(body, ']');
	body->failed |= buf_failed(list);
}

static void
append_refused(struct buf *body, const struct chosen *refused)
{
	struct buf list;

	buf_init(&list, 0);
	for (size_t i = 0; i < refused->count; i++)
		control_list_add(&list, refused->patterns[i]);
	append_list(body, "refused", &list);
	buf_finish(&list);
}

static void
reply_page(const struct page *page)
{
	bool more = page->reached < page->request.until;
	struct buf body;

	buf_init(&body, 0);
	buf_append_text(&body, "{\"events\":[");
	buf_append(&body, buf_bytes(&page->events), buf_length(&page->events));
	body.failed |= buf_failed(&page->events);
	buf_append_text(&body, "],");
	report_append_cursor(&body, "cursor", page->reached);
	buf_printf(&body, ",\"more\":%s", more ? "true" : "false");
	append_list(&body, "resync", &page->resync);
	if (page->reason != NULL)
		buf_printf(&body, ",\"reason\":\"%s\"", page->reason);
	append_refused(&body, &page->opening->refused);
	buf_append_text(&body, "}\n");
	reply_buf(page->opening->connection, 200, "application/json", &body);
}

/* Reads and answers. False: refused. */
static bool
answer_from(struct opening *opening, size_t limit)
{
	struct worker *worker = opening->worker;
	struct page page = {
	    .opening = opening,
	    .worker = worker,
	    .limit = limit,
	    .reached = opening->start.cursor,
	    .request =
		{
		    .patterns = opening->channels.patterns,
		    .pattern_count = opening->channels.count,
		    .after = opening->start.cursor,
		    .until = worker->window.head,
		    .rows = STORE_ROWS,
		},
	};
	bool read;

	buf_init(&page.events, 0);
	buf_init(&page.resync, 0);
	read = read_page(&page) == 0;
	if (read) {
		reply_page(&page);
	} else {
		worker_count(worker, METRIC_STORE_FAILURES, 1);
		reply_retry(opening->connection, PROBLEM_STORE);
	}
	buf_finish(&page.events);
	buf_finish(&page.resync);
	return read;
}

bool
pull_page_answer(struct opening *opening, const struct http_request *request)
{
	size_t limit;

	if (!opening_read_query(opening, request) || !read_format(opening) ||
	    !read_limit(opening, &limit) || !opening_choose(opening))
		return false;
	opening_find_start(opening, request);
	return answer_from(opening, limit);
}
