/* publish_origin: from which pages something may be published. See
 * publish_origin.h. */
#include "broker/worker/publish_origin.h"

#include "broker/worker/connection.h"
#include "broker/worker/http.h"
#include "broker/worker/origin.h"
#include "broker/worker/reply.h"
#include "broker/worker/worker_state.h"

bool
publish_origin_good(
    struct connection *connection, const struct http_request *request)
{
	if (http_header(request, "Origin", NULL).bytes == NULL ||
	    origin_allowed(connection->worker->config, request))
		return true;
	reply_problem(connection, PROBLEM_ORIGIN_NOT_ALLOWED, NULL);
	return false;
}
