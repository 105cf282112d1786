/* prepare: what hub and workers share, made before they are. */
#ifndef SSEMUX_SUPERVISOR_PREPARE_H
#define SSEMUX_SUPERVISOR_PREPARE_H

struct heritage;

/*
 * Makes the shared memory and the bells for the heritage, whose sockets are
 * there already. 0, or a sysexits code (logged).
 */
int prepare_heritage(struct heritage *heritage);

#endif
