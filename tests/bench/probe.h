/* probe: how long live events take, while a broker has other things to do. */
#ifndef SSEMUX_BENCH_PROBE_H
#define SSEMUX_BENCH_PROBE_H

#include <stdint.h>

/* See "load probe" in load.c. The exit code. */
int probe_run(
    const char *socket, uint64_t port, uint64_t subscribers, uint64_t rate);

#endif
