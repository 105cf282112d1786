/* progress: one line on a terminal that says how far a bulk input has come. */
#ifndef SSEMUX_CLI_PROGRESS_H
#define SSEMUX_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool shown;          /* is there a terminal to show it on? */
	bool drawn;          /* does it stand there now? */
	uint64_t input_size; /* bytes; 0: not known */
	int64_t started_ms;
	int64_t drawn_ms;
};

enum progress_output { PROGRESS_ALONE, PROGRESS_WITH_OUTPUT };

/* Shows progress on standard error when that is a terminal, input_fd is none,
 * and the program's output, if it has any, does not go to a terminal too. */
void progress_init(struct progress *progress, int input_fd,
    enum progress_output output, int64_t now_ms);

/* Draws it anew, ten times a second at most. */
void progress_draw(
    struct progress *progress, uint64_t bytes, uint64_t events, int64_t now_ms);

/* Draws it a last time and leaves the line. */
void progress_finish(
    struct progress *progress, uint64_t bytes, uint64_t events, int64_t now_ms);

/* Wipes it away, so that something else can be printed. */
void progress_wipe(struct progress *progress);

#endif
