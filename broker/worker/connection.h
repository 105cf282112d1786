/*
 * connection: one HTTP connection: it reads requests, sends answers, and may
 * become an event stream. Every state has a deadline on the wheel.
 *
 *	READING -> (ANSWERING -> READING)* -> LINGERING | STREAMING | gone
 *	   \-> WAITING --^
 *
 * A peer that has said all it has to say (shutdown(2)) still gets the answers
 * that it asked for, and a stream that ends by itself; any other stream is
 * over with it.
 */
#ifndef SSEMUX_WORKER_CONNECTION_H
#define SSEMUX_WORKER_CONNECTION_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "broker/shared/address.h"
#include "broker/worker/http/problem.h"
#include "broker/worker/wheel.h"
#include "protocol/buf.h"

struct subscriber;
struct worker;

enum connection_state {
	CONNECTION_READING,   /* waits for a request, or for the rest of one */
	CONNECTION_WAITING,   /* its answer comes later */
	CONNECTION_ANSWERING, /* has more to send before it reads again */
	CONNECTION_STREAMING, /* has a subscriber */
	CONNECTION_LINGERING, /* has sent all; waits for the peer to close */
};

struct connection {
	struct wheel_node due; /* first: a node's address is its owner's */
	struct worker *worker;
	struct connection *previous;
	struct connection *next;
	ev_io io;
	enum connection_state state;
	int http_minor;
	bool keep_alive;  /* after the answer that is being sent */
	bool head_only;   /* the answer goes to HEAD */
	bool served;      /* it had a request that was answered */
	bool input_ended; /* the peer says no more */
	struct buf in;
	struct buf out;           /* answer, or control events of a stream */
	const char *allow_origin; /* what CORS says to the request; or NULL */
	struct address hop;       /* the other end of the connection */
	struct address peer;      /* the client; see proxies.h */
	bool proxy_due;           /* a PROXY header comes first */
	bool via_proxy;           /* hop is trusted to say who is the client */
	enum problem refusal;     /* to each request; PROBLEM_COUNT: none */
	uint64_t address_key;     /* counted with this key; 0: not counted */
	struct arrival *arrival;  /* a request whose body is coming in */
	size_t held;              /* memory for what is coming in */
	struct subscriber *subscriber;
	size_t pulled; /* bytes of a page that are going out */
	void *errand;  /* what the answer waits for; see connection_wait() */
	void (*errand_dropped)(void *errand);
};

/* Takes over a connected socket whose other end has that address. NULL: no
 * memory, or too many of that address; the socket is closed. */
struct connection *connection_create(
    struct worker *worker, int fd, const struct address *hop);

/* The other end is there, or behind a proxy that said so. False: there are too
 * many of that address, and the connection was destroyed. */
bool connection_came_from(
    struct connection *connection, const struct address *hop);

/* Closes it, now, whatever it is doing. */
void connection_destroy(struct connection *connection);

/* When connection_due() is to be called, at the latest; whole seconds, rounded
 * up. */
void connection_set_deadline(struct connection *connection, uint64_t ms);

/* A head, or more of a body, is to come within http.head_timeout: at least as
 * long. */
void connection_await_request(struct connection *connection);

enum connection_sent {
	CONNECTION_SENT_ALL,  /* nothing is left to send */
	CONNECTION_SENT_PART, /* the socket is full; it is watched */
	CONNECTION_SENT_GONE, /* the connection was destroyed */
};

/* Sends what `out` holds. */
enum connection_sent connection_send(struct connection *connection);

/* The same, when more is written to the socket at once: it may go out with
 * that. */
enum connection_sent connection_send_ahead(struct connection *connection);

/* The socket is full: says so when it takes more again. */
void connection_await_writable(struct connection *connection);

/*
 * The answer to the request comes later, within ms (250 s at most): to be
 * called instead of reply_*() while the request is answered. The request and
 * its slices are gone when that returns. dropped(errand) is called, once, when
 * the connection goes or its time is up (a client then gets 503 "later"),
 * unless connection_deliver() came first; the connection is not to be touched
 * any more. The errand must not be NULL.
 */
void connection_wait(struct connection *connection, uint64_t ms, void *errand,
    void (*dropped)(void *errand));

/* Tells whoever the connection waits for, if anybody, that it is in vain. */
void connection_drop_errand(struct connection *connection);

/*
 * Here is what a WAITING connection waits for, appended with reply_*(): sends
 * it and goes on with what the peer sent meanwhile. Not from within the call
 * that made it wait. The connection may be destroyed.
 */
void connection_deliver(struct connection *connection);

/* After an answer was appended to `out`: sends it, then waits for the next
 * request or ends the connection. False when it was destroyed. */
bool connection_answered(struct connection *connection);

/*
 * Ends a stream, after what `out` holds was sent as far as the socket takes
 * it; it is closed without a final chunk. It is destroyed.
 */
void connection_end_stream(struct connection *connection);

/* Ends a stream that a client asked to end, with the final chunk. It may be
 * destroyed. */
void connection_complete_stream(struct connection *connection);

/* The deadline of the connection whose node this is has come. */
void connection_due(struct wheel_node *node, void *context);

/* The worker is to end: a stream is told and closed, and so is what is idle;
 * answers are finished. */
void connection_drain(struct connection *connection);

#endif
