/* signals: those that the supervisor answers, as a descriptor. */
#ifndef SSEMUX_SUPERVISOR_SIGNALS_H
#define SSEMUX_SUPERVISOR_SIGNALS_H

/* Blocks them. A descriptor that can be read when there is one; or -1 with
 * errno. */
int signals_take(void);

/* The number of the next one; 0: there is none now. */
int signals_next(int fd);

#endif
