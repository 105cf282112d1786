/* limits: how many there may be. See limits.h. */
#include "broker/worker/access/limits.h"

#include "broker/shared/address.h"
#include "broker/worker/connection.h"
#include "broker/worker/worker_state.h"

enum {
	/* Connections over a limit that are taken to be refused. */
	REFUSALS_MAX = 64,
};

bool
limits_enter_address(struct connection *connection)
{
	struct worker *worker = connection->worker;
	struct census *census = &worker->heritage->census;
	uint64_t max = worker->config->http_max_per_ip;
	uint64_t key, count;

	if (max == CONFIG_AUTO)
		return true;
	key = census_key(
	    census, CENSUS_ADDRESS, address_client(&connection->peer));
	if (!census_enter(census, key))
		return false;
	/* Entered first and counted then, two that come at a time to two
	 * workers are both refused rather than both taken. */
	count = census_count(census, key);
	if (count > max + REFUSALS_MAX) {
		worker_count(worker, METRIC_REFUSED_ADDRESS, 1);
		census_leave(census, key);
		return false;
	}
	connection->address_key = key;
	if (count > max)
		connection->refusal = PROBLEM_LIMIT_ADDRESS;
	return true;
}

void
limits_leave_address(struct connection *connection)
{
	if (connection->address_key != 0)
		census_leave(&connection->worker->heritage->census,
		    connection->address_key);
	connection->address_key = 0;
	if (connection->refusal == PROBLEM_LIMIT_ADDRESS)
		connection->refusal = PROBLEM_COUNT;
}

void
limits_note_total(struct connection *connection)
{
	struct worker *worker = connection->worker;

	if (worker->connection_count > worker->connection_max ||
	    board_sum(worker->board, METRIC_CONNECTIONS) >
		worker->heritage->connections)
		connection->refusal = PROBLEM_OVERLOAD;
}

bool
limits_full(const struct worker *worker)
{
	return worker->connection_count >=
		   worker->connection_max + REFUSALS_MAX ||
	       board_sum(worker->board, METRIC_CONNECTIONS) >=
		   worker->heritage->connections + REFUSALS_MAX;
}

/* No user's name has a NUL: nobody's key is no user's. */
static uint64_t
key_of(
    const struct census *census, struct slice user, const struct address *peer)
{
	char name[1 + ADDRESS_BYTES] = "";

	if (user.len > 0)
		return census_key(census, CENSUS_USER, user);
	memcpy(name + 1, peer->bytes, ADDRESS_BYTES);
	return census_key(census, CENSUS_USER, slice_of(name, sizeof(name)));
}

bool
limits_enter_user(struct worker *worker, struct slice user,
    const struct address *peer, uint64_t *key)
{
	struct census *census = &worker->heritage->census;
	uint64_t max = worker->config->http_max_per_user;

	*key = key_of(census, user, peer);
	if (!census_enter(census, *key))
		return false;
	if (user.len == 0 || census_count(census, *key) <= max)
		return true;
	census_leave(census, *key);
	return false;
}

void
limits_leave_user(struct worker *worker, uint64_t key)
{
	census_leave(&worker->heritage->census, key);
}

uint64_t
limits_streams_of(
    const struct worker *worker, struct slice user, const struct address *peer)
{
	const struct census *census = &worker->heritage->census;

	return census_count(census, key_of(census, user, peer));
}
