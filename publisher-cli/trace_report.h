/* trace_report: what became of an event, for people and for scripts. */
#ifndef SSEMUX_CLI_TRACE_REPORT_H
#define SSEMUX_CLI_TRACE_REPORT_H

#include <stdio.h>

enum trace_form {
	TRACE_TABLE, /* aligned, with sentences */
	TRACE_LINES, /* fields divided by tabs; see ssemuxctl(1) */
};

enum trace_found {
	TRACE_FOUND, /* the event is known */
	TRACE_GONE,  /* it is not */
	TRACE_LATE,  /* not to those who answered; others have not */
};

/*
 * Prints the broker's answer. 0; or -1 when the answer is not what it should
 * be.
 */
int trace_report_print(
    FILE *out, const char *json, enum trace_form form, enum trace_found *found);

#endif
