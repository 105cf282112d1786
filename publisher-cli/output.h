/* output: what ssemux-pub prints, and what it complains about. */
#ifndef SSEMUX_CLI_OUTPUT_H
#define SSEMUX_CLI_OUTPUT_H

#include <stdint.h>

#include "publisher-cli/options.h"
#include "publisher-cli/progress.h"

/*
 * To be called first: where standard input, output or error is closed, the
 * broker's socket would take its place, and get what is printed. Reading and
 * writing there fails as before.
 */
void output_keep_places(void);

/* Prints what -i and -n ask for, once all of it is known: an ACKED prints
 * nothing when a RECEIPT will follow. */
void output_print(
    const struct options *options, const struct ssemux_pub_result *result);

/* Sends out what was printed. 0; or -1 with errno. */
int output_flush(void);

/* Says something on standard error, about a line of the input or, with 0,
 * about none. Control characters are shown as '?', as they come from the input
 * or the broker. The progress is wiped away. */
__attribute__((format(printf, 3, 4))) void output_complain(
    struct progress *progress, uint64_t line, const char *format, ...);

#endif
