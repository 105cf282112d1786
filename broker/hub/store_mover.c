/* store_mover: checkpoints in a thread of their own. See store_mover.h. */
#include "broker/hub/store_mover.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/shared/log.h"
#include "broker/shared/store.h"

struct store_mover {
	sqlite3 *db; /* the thread's, while it runs */
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t asked;
	pthread_cond_t done;
	bool busy; /* from being asked until it is done */
	bool over;
	int result;
};

static void *
move(void *context)
{
	struct store_mover *mover = context;

	pthread_mutex_lock(&mover->lock);
	while (mover->busy || !mover->over) {
		int result;

		if (!mover->busy) {
			pthread_cond_wait(&mover->asked, &mover->lock);
			continue;
		}
		pthread_mutex_unlock(&mover->lock);
		result = sqlite3_wal_checkpoint_v2(
		    mover->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		pthread_mutex_lock(&mover->lock);
		/* The hub may move some itself. */
		mover->result = result == SQLITE_BUSY ? SQLITE_OK : result;
		mover->busy = false;
		pthread_cond_signal(&mover->done);
	}
	pthread_mutex_unlock(&mover->lock);
	return NULL;
}

/* The hub's signals are for its loop: they must not interrupt a write here. 0
 * or an error's number. */
static int
start_thread(struct store_mover *mover)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&mover->thread, NULL, move, mover);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

struct store_mover *
store_mover_start(const char *path, const char *synchronous)
{
	struct store_mover *mover = calloc(1, sizeof(*mover));
	char *error = NULL;

	if (mover == NULL)
		return NULL;
	pthread_mutex_init(&mover->lock, NULL);
	pthread_cond_init(&mover->asked, NULL);
	pthread_cond_init(&mover->done, NULL);
	mover->db = store_open_writer(path, synchronous, NULL, &error);
	if (mover->db != NULL && start_thread(mover) == 0)
		return mover;
	log_warn("store: no thread for checkpoints: %s",
	    error != NULL ? error : "not allowed, or no memory");
	sqlite3_free(error);
	sqlite3_close(mover->db);
	free(mover);
	return NULL;
}

void
store_mover_stop(struct store_mover *mover)
{
	if (mover == NULL)
		return;
	pthread_mutex_lock(&mover->lock);
	mover->over = true;
	pthread_cond_signal(&mover->asked);
	pthread_mutex_unlock(&mover->lock);
	pthread_join(mover->thread, NULL);
	pthread_cond_destroy(&mover->asked);
	pthread_cond_destroy(&mover->done);
	pthread_mutex_destroy(&mover->lock);
	sqlite3_close(mover->db);
	free(mover);
}

bool
store_mover_busy(struct store_mover *mover)
{
	bool busy;

	pthread_mutex_lock(&mover->lock);
	busy = mover->busy;
	pthread_mutex_unlock(&mover->lock);
	return busy;
}

void
store_mover_wait(struct store_mover *mover)
{
	pthread_mutex_lock(&mover->lock);
	while (mover->busy)
		pthread_cond_wait(&mover->done, &mover->lock);
	pthread_mutex_unlock(&mover->lock);
}

void
store_mover_ask(struct store_mover *mover)
{
	pthread_mutex_lock(&mover->lock);
	mover->busy = true;
	pthread_cond_signal(&mover->asked);
	pthread_mutex_unlock(&mover->lock);
}

int
store_mover_result(struct store_mover *mover)
{
	int result;

	pthread_mutex_lock(&mover->lock);
	result = mover->result;
	mover->result = SQLITE_OK;
	pthread_mutex_unlock(&mover->lock);
	return result;
}
