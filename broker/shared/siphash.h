/*
 * siphash: SipHash-2-4 (Aumasson and Bernstein), a hash that nobody can aim at
 * who does not know its key. Pure.
 */
#ifndef SSEMUX_SHARED_SIPHASH_H
#define SSEMUX_SHARED_SIPHASH_H

#include <stdint.h>

#include "protocol/slice.h"

enum { SIPHASH_KEY_BYTES = 16 };

uint64_t siphash(
    const unsigned char key[SIPHASH_KEY_BYTES], struct slice bytes);

#endif
