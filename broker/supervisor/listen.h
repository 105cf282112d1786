/*
 * listen: the sockets that the broker serves, made before anything else, so
 * that a fault in an address is said at once. They outlive every child.
 */
#ifndef SSEMUX_SUPERVISOR_LISTEN_H
#define SSEMUX_SUPERVISOR_LISTEN_H

struct config;
struct heritage;
struct privileges;

/* Can every address of http.listen be understood, and may it be served? 0, or
 * -1 (logged). Nothing is opened. */
int listen_check(const struct config *config);

/*
 * Makes state folder and lock, the publisher socket, and one TCP socket per
 * address of http.listen, all into *heritage. Waits a few seconds for a broker
 * that is just ending to let go of the state folder. 0, or a sysexits code
 * (logged).
 */
int listen_all(struct heritage *heritage, const struct privileges *privileges);

/* Removes the publisher socket's file. */
void listen_end(const struct config *config);

#endif
