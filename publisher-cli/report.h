/* report: the broker's status, as lines for people. */
#ifndef SSEMUX_CLI_REPORT_H
#define SSEMUX_CLI_REPORT_H

#include <stdio.h>

/*
 * Prints a JSON object as lines "name  value", in its order; what is nested
 * gets a name like "hub.events" or "workers[1].subscribers". Control
 * characters in texts are shown as '?'. 0; or -1 when it is no JSON object.
 */
int report_print(FILE *out, const char *json);

#endif
