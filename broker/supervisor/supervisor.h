/*
 * supervisor: starts hub and workers, starts them again when they end, and
 * ends them. It holds what they inherit, and reads no byte from outside.
 */
#ifndef SSEMUX_SUPERVISOR_SUPERVISOR_H
#define SSEMUX_SUPERVISOR_SUPERVISOR_H

#include <stddef.h>

struct heritage;
struct privileges;

/*
 * Runs until it is told to end; returns the exit code: EX_OK after a drain,
 * and that of the child when one cannot even start the first time.
 */
int supervisor_run(
    struct heritage *heritage, const struct privileges *privileges);

#endif
