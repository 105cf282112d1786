/*
 * publisher_state: what a publisher is made of. For publisher*.c only.
 */
#ifndef SSEMUX_HUB_PUBLISHER_STATE_H
#define SSEMUX_HUB_PUBLISHER_STATE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/hub/identity.h"
#include "broker/hub/rules.h"
#include "protocol/buf.h"

#define NO_PEER SIZE_MAX

struct publisher {
	struct hub *hub;
	struct publisher *previous;
	struct publisher *next;
	int fd;
	ev_io readable;
	ev_io writable;
	struct buf in;
	struct buf out;
	size_t need;              /* bytes that the next message has at least */
	size_t peer;              /* link: which worker's; NO_PEER: none */
	struct identity identity; /* nobody: not greeted */
	struct identity guest;    /* link: nobody: it speaks for itself */
	bool deaf;                /* link: hears nothing but a hello */
	bool guest_outdated;      /* link: look the guest's numbers up anew */
	bool waiting;             /* its next event wants a receipt, for which
				   * there is no place now */
	bool held;                /* what came may not be taken, for it reads
				   * too little of what it is owed */
	bool closing;
	struct rules rules;
	/* When it must have said hello; closing: when it must be gone. 0: it
	 * may stay. By hub_steady_ms(). */
	uint64_t due_ms;
};

/* Does it leave so much unread that it is to be answered no more for now? */
bool publisher_is_behind(const struct publisher *publisher);

/* Takes the whole messages that came, as far as they can be taken now. */
void publisher_take_messages(struct publisher *publisher);

/* Reads only from who reads, and whose events can be taken. */
void publisher_pace(struct publisher *publisher);

#endif
