/* bearer: the token of a request. See bearer.h. */
#include "broker/worker/http/bearer.h"

#include <stdlib.h>
#include <strings.h>

#include "broker/shared/config.h"
#include "broker/worker/http/http.h"
#include "broker/worker/http/http_text.h"
#include "broker/worker/http/origin.h"

/* --- Authorization --- */

static enum bearer_found
find_in_header(const struct http_request *request, struct bearer *bearer)
{
	static const struct slice scheme = {"Bearer", 6};
	size_t count;
	struct slice value = http_header(request, "authorization", &count);

	if (count > 1)
		return BEARER_TWICE;
	/* Another scheme is a proxy's business. */
	if (value.len < scheme.len ||
	    strncasecmp(value.bytes, scheme.bytes, scheme.len) != 0 ||
	    (value.len > scheme.len && value.bytes[scheme.len] != ' '))
		return BEARER_NONE;
	bearer->token = slice_trim(http_text_skip(value, scheme.len));
	return BEARER_FOUND;
}

/* --- the query --- */

/* Looks at all pairs of the query, decoded into two rooms of its length. */
static enum bearer_found
look_through(struct slice query, struct bearer *bearer)
{
	char *name = bearer->decoded + query.len;
	char *value = bearer->decoded;
	enum bearer_found found = BEARER_NONE;
	size_t name_len, value_len;

	while (
	    http_query_next(&query, name, &name_len, value, &value_len) == 1) {
		if (!slice_is(slice_of(name, name_len), "access_token"))
			continue;
		if (found != BEARER_NONE)
			return BEARER_TWICE;
		found = BEARER_FOUND;
		bearer->token = slice_of(value, value_len);
		/* What follows is decoded behind it. */
		value += value_len;
	}
	return found;
}

static enum bearer_found
find_in_query(const struct http_request *request, struct bearer *bearer)
{
	static const char name[] = "access_token";
	struct slice query = request->query;

	if (query.len == 0 ||
	    memmem(query.bytes, query.len, name, sizeof(name) - 1) == NULL)
		return BEARER_NONE;
	bearer->decoded_size = 2 * query.len;
	bearer->decoded = malloc(bearer->decoded_size);
	if (bearer->decoded == NULL)
		return BEARER_MEMORY;
	return look_through(query, bearer);
}

/* --- the cookie --- */

/* Looks for the cookie in one header "a=1; b=2". */
static enum bearer_found
look_in_cookies(struct slice cookies, const char *wanted, struct bearer *bearer,
    enum bearer_found found)
{
	struct slice pair, name;

	while (http_text_next(&cookies, ';', &pair)) {
		if (!http_text_next(&pair, '=', &name) ||
		    !slice_is(slice_trim(name), wanted))
			continue;
		/* That is how a cookie is taken back. */
		if (slice_trim(pair).len == 0)
			continue;
		if (found != BEARER_NONE)
			return BEARER_TWICE;
		found = BEARER_FOUND;
		bearer->token = slice_trim(pair);
	}
	return found;
}

static enum bearer_found
find_in_cookies(const char *wanted, const struct http_request *request,
    struct bearer *bearer)
{
	enum bearer_found found = BEARER_NONE;

	for (size_t i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->headers[i];

		if (http_text_is(header->name, "cookie") &&
		    found != BEARER_TWICE)
			found = look_in_cookies(
			    header->value, wanted, bearer, found);
	}
	return found;
}

/* Is it one of our own pages that asks, or one that is allowed to? Without an
 * Origin the browser has to say so itself; for a GET, which changes nothing and
 * which pages of elsewhere cannot read, it is enough that it does not say that
 * another site asks. */
static bool
is_asked_by_ours(
    const struct config *config, const struct http_request *request)
{
	struct slice site = http_header(request, "sec-fetch-site", NULL);

	if (http_header(request, "origin", NULL).bytes != NULL)
		return origin_allowed(config, request);
	if (slice_is(request->method, "GET") ||
	    slice_is(request->method, "HEAD"))
		return !http_text_is(site, "cross-site");
	return http_text_is(site, "same-origin");
}

enum bearer_found
bearer_find(const struct config *config, const struct http_request *request,
    struct bearer *bearer)
{
	enum bearer_found found;

	*bearer = (struct bearer){.decoded = NULL};
	found = find_in_header(request, bearer);
	if (found == BEARER_NONE)
		found = find_in_query(request, bearer);
	if (found == BEARER_NONE && config->auth_cookie[0] != '\0') {
		found = find_in_cookies(config->auth_cookie, request, bearer);
		if (found == BEARER_FOUND && !is_asked_by_ours(config, request))
			found = BEARER_FOREIGN;
	}
	if (found != BEARER_FOUND)
		bearer_finish(bearer);
	return found;
}

void
bearer_finish(struct bearer *bearer)
{
	if (bearer->decoded != NULL)
		explicit_bzero(bearer->decoded, bearer->decoded_size);
	free(bearer->decoded);
	*bearer = (struct bearer){.decoded = NULL};
}
