/* exits: exit codes (sysexits.h) for what went wrong with the broker. */
#ifndef SSEMUX_CLI_EXITS_H
#define SSEMUX_CLI_EXITS_H

#include <ssemux/pub.h>

/* For an event that is not taken, by us or by the broker. */
int exits_of_refusal(const char *code);

/* For a handle that has failed, or with which the time is up: EX_UNAVAILABLE
 * when no broker was ever there, EX_TEMPFAIL when it went away or is slow,
 * EX_NOPERM, EX_PROTOCOL. */
int exits_of_handle(const struct ssemux_pub *pub);

/* For a command (kick, revoke, restore) that was not done. */
int exits_of_command(const struct ssemux_pub *pub);

/* For an errno of the system. */
int exits_of_errno(int number);

#endif
