/*
 * intake: what one message of a publisher means: check it, then stage it.
 */
#ifndef SSEMUX_HUB_INTAKE_H
#define SSEMUX_HUB_INTAKE_H

#include "protocol/message.h"

struct hub;
struct publisher;

/*
 * Takes a message that message_read() gave with this fault. Its slices are
 * copied. What cannot be gone on with ends the publisher.
 */
void intake_message(struct hub *hub, struct publisher *publisher,
    struct message *message, struct fault fault);

#endif
