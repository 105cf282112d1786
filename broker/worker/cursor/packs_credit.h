/*
 * packs_credit: what compressing costs, and what there is for it, in bytes of
 * text. For packs*.c only; who earns it, and what for, is said in packing.c.
 */
#ifndef SSEMUX_WORKER_CURSOR_PACKS_CREDIT_H
#define SSEMUX_WORKER_CURSOR_PACKS_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/worker/cursor/coder.h"

struct pack_events;
struct packs;

/* At the begin of a turn, at most; and to begin with. */
enum { PACKS_CREDIT_KEPT = CODER_TEXT_MAX };

/* The text of these events of the window, about; or more than there is. */
uint64_t packs_cost(
    const struct packs *packs, const struct pack_events *events);

/* Takes what a pack costs in this coding, if that is there: what any pack does,
 * and so many bytes of text. */
bool packs_pay(
    struct packs *packs, enum coding coding, uint64_t any, uint64_t bytes);

#endif
