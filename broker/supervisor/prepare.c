/* prepare: shared memory, bells and limits. See prepare.h. */
#include "broker/supervisor/prepare.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/shared/bell.h"
#include "broker/shared/heritage.h"
#include "broker/shared/log.h"

/* As many connections as the system allows. */
static void
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		log_warn("raise the limit of descriptors: %m");
}

static size_t
worker_count(const struct config *config)
{
	long processors;

	if (config->broker_workers != CONFIG_AUTO)
		return config->broker_workers;
	processors = sysconf(_SC_NPROCESSORS_ONLN);
	return processors < 1 ? 1 : processors > 64 ? 64 : (size_t)processors;
}

static int
make_bells(struct heritage *heritage)
{
	heritage->worker_bells = calloc(heritage->workers, sizeof(int));
	if (heritage->worker_bells == NULL)
		return -1;
	heritage->hub_bell = bell_create();
	if (heritage->hub_bell == -1)
		return -1;
	for (size_t i = 0; i < heritage->workers; i++) {
		heritage->worker_bells[i] = bell_create();
		if (heritage->worker_bells[i] == -1)
			return -1;
	}
	return 0;
}

int
prepare_heritage(struct heritage *heritage)
{
	const struct config *config = heritage->config;

	raise_descriptors();
	heritage->workers = worker_count(config);
	if (board_create(&heritage->board, heritage->workers,
		&heritage->board_fd) == -1 ||
	    ring_create(&heritage->ring, config->broker_ring,
		&heritage->ring_fd) == -1 ||
	    make_bells(heritage) == -1) {
		log_warn("shared memory: %m");
		return EX_OSERR;
	}
	return EX_OK;
}
