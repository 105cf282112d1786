/*
 * links: a link between the hub and each worker, made anew whenever one of the
 * two is born.
 *
 * The supervisor makes the pair, sends each end over the control socket of its
 * process, and keeps neither. It never waits: a process that does not take
 * what it is sent gets its link when it does again.
 */
#ifndef SSEMUX_SUPERVISOR_LINKS_H
#define SSEMUX_SUPERVISOR_LINKS_H

#include <stdbool.h>
#include <stddef.h>

struct child;

enum { LINKS_RETRY_MS = 100 };

/* A child was born: notes the links it needs. children: the hub, then the
 * workers. */
void links_note_birth(
    struct child *children, size_t count, const struct child *born);

/* Makes the links that are due between processes that live. True: some are
 * still due, and are to be tried again after LINKS_RETRY_MS. */
bool links_make(struct child *children, size_t count);

#endif
