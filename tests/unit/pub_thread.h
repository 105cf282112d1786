/*
 * pub thread: a publisher whose calls wait, and the broker in a thread of its
 * own.
 */
#ifndef SSEMUX_TESTS_PUB_THREAD_H
#define SSEMUX_TESTS_PUB_THREAD_H

#include <pthread.h>

#include "tests/unit/pub_results.h"

static struct fake_broker fake;
static struct ssemux_pub *pub;
static pthread_t thread;
static bool thread_runs;

static inline void
set_up(void)
{
	struct ssemux_pub_options options;

	fake_init(&fake);
	buf_init(&results, 0);
	options = pub_options(&fake);
	pub = ssemux_pub_open(&options);
	ck_assert_ptr_nonnull(pub);
}

static inline void
start(void *(*broker)(void *))
{
	ck_assert_int_eq(pthread_create(&thread, NULL, broker, NULL), 0);
	thread_runs = true;
}

static inline void
join(void)
{
	if (thread_runs)
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
	thread_runs = false;
}

static inline void
tear_down(void)
{
	(void)ssemux_pub_close(pub);
	join();
	buf_finish(&results);
	fake_finish(&fake);
}

#endif
