/* origin: whose pages may talk to the broker. See origin.h. */
#include "broker/worker/http/origin.h"

#include <string.h>
#include <strings.h>

#include "broker/shared/config.h"
#include "broker/worker/http/http.h"

static const char *
listed(const struct config *config, struct slice origin)
{
	const struct config_list *list = &config->http_cors_origins;

	for (size_t i = 0; i < list->count; i++) {
		if (slice_is(origin, list->items[i]))
			return list->items[i];
	}
	return NULL;
}

/* http.cors_origins is "*" alone, or a list without it. */
static const char *
star(const struct config *config)
{
	return listed(config, slice_of_text("*"));
}

/* The only Origin of the request. bytes is NULL when there is none; empty when
 * there are several, which nobody means well with. */
static struct slice
origin_of(const struct http_request *request)
{
	size_t count;
	struct slice origin = http_header(request, "Origin", &count);

	return count > 1 ? slice_of("", 0) : origin;
}

const char *
origin_granted(const struct config *config, const struct http_request *request)
{
	struct slice origin = origin_of(request);

	if (origin.len == 0)
		return NULL;
	return star(config) != NULL ? star(config) : listed(config, origin);
}

static bool
equal_but_case(struct slice a, struct slice b)
{
	return a.len == b.len &&
	       (a.len == 0 || strncasecmp(a.bytes, b.bytes, a.len) == 0);
}

/* Without a port that means nothing in this scheme. */
static struct slice
without_port(struct slice authority, const char *port)
{
	struct slice end = slice_of_text(port);

	if (authority.len > end.len &&
	    slice_equal(
		slice_of(authority.bytes + authority.len - end.len, end.len),
		end))
		authority.len -= end.len;
	return authority;
}

/* Is it the origin of the server that the request is for? TLS ends at a proxy,
 * so either scheme may be. */
static bool
is_own(const struct http_request *request, struct slice origin)
{
	static const struct {
		const char *scheme;
		const char *port;
	} schemes[] = {{"http://", ":80"}, {"https://", ":443"}};
	struct slice host = request->host;

	for (size_t i = 0; i < 2; i++) {
		struct slice scheme = slice_of_text(schemes[i].scheme);
		struct slice authority;

		if (!slice_starts_with(origin, scheme))
			continue;
		authority = slice_of(
		    origin.bytes + scheme.len, origin.len - scheme.len);
		return authority.len > 0 &&
		       equal_but_case(without_port(authority, schemes[i].port),
			   without_port(host, schemes[i].port));
	}
	return false;
}

bool
origin_allowed(const struct config *config, const struct http_request *request)
{
	struct slice origin = origin_of(request);

	if (origin.bytes == NULL)
		return true;
	return !slice_is(origin, "*") &&
	       (is_own(request, origin) || listed(config, origin) != NULL);
}

bool
origin_may_change(
    const struct config *config, const struct http_request *request)
{
	return star(config) != NULL || origin_allowed(config, request);
}

/* Digits and dots, or brackets: no name that could be made to point here. */
static bool
is_address(struct slice host)
{
	if (host.bytes[0] == '[')
		return true;
	for (size_t i = 0; i < host.len; i++) {
		if (host.bytes[i] != '.' &&
		    (host.bytes[i] < '0' || host.bytes[i] > '9'))
			return false;
	}
	return true;
}

/* The host without its port. */
static struct slice
name_of(struct slice host)
{
	const char *colon = host.len > 0 && host.bytes[0] != '['
				? memchr(host.bytes, ':', host.len)
				: NULL;

	if (colon != NULL)
		host.len = (size_t)(colon - host.bytes);
	return host;
}

bool
origin_host_known(
    const struct config *config, const struct http_request *request)
{
	const struct config_list *list = &config->http_hosts;
	struct slice host = name_of(request->host);

	if (list->count == 0 || host.len == 0 || is_address(host) ||
	    equal_but_case(host, slice_of_text("localhost")))
		return true;
	for (size_t i = 0; i < list->count; i++) {
		if (equal_but_case(host, slice_of_text(list->items[i])))
			return true;
	}
	return false;
}
