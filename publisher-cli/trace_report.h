/* trace_report: what became of an event, for people and for scripts. */
#ifndef SSEMUX_CLI_TRACE_REPORT_H
#define SSEMUX_CLI_TRACE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

enum trace_form {
	TRACE_TABLE, /* aligned, with sentences */
	TRACE_LINES, /* fields divided by tabs; see ssemuxctl(1) */
};

/*
 * Prints the broker's answer. *found: the event itself is known. 0; or -1 when
 * the answer is not what it should be.
 */
int trace_report_print(
    FILE *out, const char *json, enum trace_form form, bool *found);

#endif
