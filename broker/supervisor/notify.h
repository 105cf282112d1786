/* notify: tells whoever started the broker how it is doing. */
#ifndef SSEMUX_SUPERVISOR_NOTIFY_H
#define SSEMUX_SUPERVISOR_NOTIFY_H

/*
 * Sends a state, such as "READY=1" or "STOPPING=1", to systemd: a datagram to
 * the socket named by NOTIFY_SOCKET, see sd_notify(3). Nothing happens when
 * that is not set.
 */
void notify_systemd(const char *state);

/* Writes a newline to the descriptor and closes it; 0 is no descriptor. */
void notify_fd(int fd);

#endif
