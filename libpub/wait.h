/* wait: how the calls that wait for the broker do it. */
#ifndef SSEMUX_LIBPUB_WAIT_H
#define SSEMUX_LIBPUB_WAIT_H

#include "libpub/handle.h"

/* 0 when a call may wait with this handle; else -1 with errno. */
int wait_allowed(struct ssemux_pub *pub);

/* Where a wait of so long ends; for ever is INT64_MAX. */
int64_t wait_deadline(int timeout_ms);

enum wait_step { WAIT_DONE, WAIT_LATE, WAIT_FAILED };

/* Waits until something can be done or the time is up, and does it. */
enum wait_step wait_step(struct ssemux_pub *pub, int64_t deadline_ms);

/* "WHAT in time", and what keeps the connection from being there. -1. */
int wait_fail_late(struct ssemux_pub *pub, int number, const char *what);

#endif
