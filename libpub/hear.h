/* hear: what the broker says, and what follows from it. */
#ifndef SSEMUX_LIBPUB_HEAR_H
#define SSEMUX_LIBPUB_HEAR_H

#include "libpub/handle.h"

/* Handles every whole message that was read. False when the connection is
 * gone by that. */
bool hear_messages(struct ssemux_pub *pub);

#endif
