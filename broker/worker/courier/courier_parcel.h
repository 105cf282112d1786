/*
 * courier_parcel: one event, as the message that it will be sent as, and lists
 * of them. For courier*.c only.
 */
#ifndef SSEMUX_WORKER_COURIER_COURIER_PARCEL_H
#define SSEMUX_WORKER_COURIER_COURIER_PARCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/worker/courier/courier.h"

struct errand;

/* One event on its way. */
struct parcel {
	struct parcel *next;
	struct errand *errand; /* NULL: nobody waits */
	size_t index;          /* of the result */
	uint64_t seq;
	bool receipt;    /* one is wanted */
	bool begins;     /* its identity's numbers begin anew with it */
	bool was_sent;   /* to this hub, or to one before */
	uint8_t who_len; /* 0: of the worker */
	char who[COURIER_IDENTITY_MAX];
	size_t len;
	char message[]; /* a PUBLISH */
};

struct parcels {
	struct parcel *first;
	struct parcel **end;
};

/* Makes one of an event, under that number. NULL: no memory. free() it. */
struct parcel *parcel_create(const struct courier_event *event, uint64_t seq,
    enum courier_receipts receipts);

/* Its identity; len 0: the worker's. */
struct slice parcel_who(const struct parcel *parcel);

size_t parcel_bytes(const struct parcel *parcel);

void parcels_init(struct parcels *parcels);
void parcels_append(struct parcels *parcels, struct parcel *parcel);

/* Takes the first out, which there must be. */
struct parcel *parcels_take(struct parcels *parcels);

#endif
