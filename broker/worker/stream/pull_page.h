/*
 * pull_page: what is on a page: events, how far they go, what was lost.
 */
#ifndef SSEMUX_WORKER_STREAM_PULL_PAGE_H
#define SSEMUX_WORKER_STREAM_PULL_PAGE_H

#include <stdbool.h>

struct http_request;
struct opening;

/* Answers a request that was begun. False: it was refused. */
bool pull_page_answer(
    struct opening *opening, const struct http_request *request);

#endif
