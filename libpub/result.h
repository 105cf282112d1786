/* result: telling the caller what became of its events. */
#ifndef SSEMUX_LIBPUB_RESULT_H
#define SSEMUX_LIBPUB_RESULT_H

#include "libpub/handle.h"

/* Each tells about the front of the queue and takes it out of there. */

void result_tell_acked(struct ssemux_pub *pub, const struct message *ack);
void result_tell_refused(struct ssemux_pub *pub, const struct failure *failure);

/* Tells LOST about every unacknowledged event, with pub->failure as the
 * reason. */
void result_tell_lost(struct ssemux_pub *pub);

/* Tells the receipts that are in. */
void result_tell_receipts(struct ssemux_pub *pub);

/* Tells about events at the front that were found too large to be sent. */
void result_tell_own_refusals(struct ssemux_pub *pub);

#endif
