/* signals: those that the supervisor answers, as a descriptor. */
#ifndef SSEMUX_SUPERVISOR_SIGNALS_H
#define SSEMUX_SUPERVISOR_SIGNALS_H

/* Ignores what would end the broker for nothing: the log's reader is gone, a
 * file would be longer than allowed, and signals that mean nothing here. */
void signals_ignore(void);

/* Blocks them. A descriptor that can be read when there is one; or -1 with
 * errno. */
int signals_take(void);

/* The number of the next one; 0: there is none now. One that asks for the end
 * takes along those that come within a moment, which it waits for. */
int signals_next(int fd);

#endif
