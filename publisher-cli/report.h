/* report: the broker's status, as lines for people. */
#ifndef SSEMUX_CLI_REPORT_H
#define SSEMUX_CLI_REPORT_H

#include <stdio.h>

/* What became of a command: how many streams were told, or how many
 * revocations taken back. */
struct report_command {
	const char *command;
	const char *user;
	const char *channels; /* NULL: all */
	const char *noun;     /* "stream" or "revocation"; plural in JSON */
	long count;
};

/*
 * Prints a JSON object as lines "name  value", in its order; what is nested
 * gets a name like "hub.events" or "workers[1].subscribers". Control
 * characters in texts are shown as '?'. 0; or -1 when it is no JSON object.
 */
int report_print(FILE *out, const char *json);

/* Prints it as one line of JSON. 0; or -1: no memory, or not UTF-8. */
int report_print_command(FILE *out, const struct report_command *done);

#endif
