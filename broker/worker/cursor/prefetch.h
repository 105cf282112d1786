/*
 * prefetch: asks for memory before it is needed, so that it is there then. With
 * thousands of subscribers none of theirs is in the processor's caches when
 * their turn comes, and a delivery would wait for memory longer than it takes.
 */
#ifndef SSEMUX_WORKER_CURSOR_PREFETCH_H
#define SSEMUX_WORKER_CURSOR_PREFETCH_H

enum { PREFETCH_BYTES = 64 };

/* Asks for the first PREFETCH_BYTES of an object, which may lie on two lines of
 * the cache. Any address will do; it is not looked at. */
static inline void
prefetch_object(const void *object)
{
	__builtin_prefetch(object, 1);
	__builtin_prefetch((const char *)object + PREFETCH_BYTES - 1, 1);
}

#endif
