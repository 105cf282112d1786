/* prepare: shared memory, bells and limits. See prepare.h. */
#include "broker/supervisor/prepare.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/shared/bell.h"
#include "broker/shared/heritage.h"
#include "broker/shared/log.h"

enum {
	DESCRIPTORS_KEPT = 128, /* that are not connections */
	WORKER_CONNECTIONS_MAX = 1048576,
};

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

/* How many connections there may be, with the descriptors that there are. */
static void
size_connections(struct heritage *heritage)
{
	uint64_t max = heritage->config->http_max_connections;
	size_t descriptors = 1024;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		descriptors = limit.rlim_cur;
	if (descriptors < 2 * DESCRIPTORS_KEPT)
		log_warn("no process may open more than %zu files: clients "
			 "beyond that are not answered (ulimit -n, "
			 "LimitNOFILE=)",
		    descriptors);
	descriptors = descriptors > 2 * DESCRIPTORS_KEPT
			  ? descriptors - DESCRIPTORS_KEPT
			  : DESCRIPTORS_KEPT;
	if (descriptors > WORKER_CONNECTIONS_MAX)
		descriptors = WORKER_CONNECTIONS_MAX;
	heritage->connections = descriptors * heritage->workers;
	if (max < heritage->connections)
		heritage->connections = max;
	if (descriptors > heritage->connections)
		descriptors = heritage->connections;
	heritage->worker_connections = descriptors;
}

/* An address and a user for each connection, also for those that are taken
 * only to be refused. */
static size_t
census_keys(const struct heritage *heritage)
{
	return 2 * (heritage->worker_connections + DESCRIPTORS_KEPT);
}

int
prepare_heritage(struct heritage *heritage)
{
	const struct config *config = heritage->config;

	raise_descriptors();
	heritage->workers = worker_count(config);
	size_connections(heritage);
	if (board_create(&heritage->board, heritage->workers,
		&heritage->board_fd) == -1 ||
	    census_create(&heritage->census, heritage->workers,
		census_keys(heritage), &heritage->census_fd) == -1 ||
	    ring_create(&heritage->ring, config->broker_ring,
		&heritage->ring_fd) == -1 ||
	    make_bells(heritage) == -1) {
		log_warn("shared memory: %m");
		return EX_OSERR;
	}
	return EX_OK;
}
