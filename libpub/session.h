/*
 * session: the talk with the broker, over one connection after another.
 *
 *	no connection --connect--> greeting --WELCOME--> open
 *	      ^                        |                   |
 *	      +------- back-off -------+-------------------+	drop
 *	                               |                   |
 *	                               +-------------------+--> failed
 *
 * A drop costs nothing but time: the queue is rewound, and all that is not
 * acknowledged is sent anew on the next connection. The broker tells apart
 * what it has by the numbers, which an event keeps for good.
 */
#ifndef SSEMUX_LIBPUB_SESSION_H
#define SSEMUX_LIBPUB_SESSION_H

#include "libpub/handle.h"

/* Connects when it is time, reads, tells results, writes; never waits.
 * 0; or -1 when the session has failed for good (errno is set). */
int session_turn(struct ssemux_pub *pub);

/* The same for who has something to write, and waits for the answer next: when
 * it is connected, it does not read before. */
int session_push(struct ssemux_pub *pub);

/* Is there something to write? */
bool session_wants_write(const struct ssemux_pub *pub);

/* Milliseconds until the next turn is due; -1 when none is. */
int session_due_in_ms(const struct ssemux_pub *pub);

/* Closes the connection, to make another one after a while. pub->failure
 * says why. */
void session_drop(struct ssemux_pub *pub);

/* Closes the connection for good; every event is lost. pub->failure says
 * why. */
void session_fail(struct ssemux_pub *pub);

/* Says farewell, if all that the broker has to know is acknowledged. */
void session_end(struct ssemux_pub *pub);

#endif
