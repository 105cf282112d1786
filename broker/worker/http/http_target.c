/* http_target: what a request is for. See http_target.h. */
#include "broker/worker/http/http_target.h"

#include <strings.h>

#include "broker/worker/http/http.h"
#include "broker/worker/http/http_text.h"

/* Is there nothing, or a colon and digits? */
static bool
is_port(struct slice text)
{
	if (text.len == 0)
		return true;
	for (size_t i = 1; i < text.len; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return false;
	}
	return text.bytes[0] == ':';
}

/* What is between brackets; the text begins with one. */
static bool
is_bracketed(struct slice text)
{
	size_t len = 1;

	while (len < text.len &&
	       (http_text_hex(text.bytes[len]) >= 0 || text.bytes[len] == ':' ||
		   text.bytes[len] == '.'))
		len++;
	return len > 1 && len < text.len && text.bytes[len] == ']' &&
	       is_port(http_text_skip(text, len + 1));
}

bool
http_target_is_host(struct slice text)
{
	size_t len = 0;

	if (!http_text_all(text, HTTP_IN_HOST))
		return false;
	if (text.len > 0 && text.bytes[0] == '[')
		return is_bracketed(text);
	while (len < text.len && text.bytes[len] != ':')
		len++;
	return memchr(text.bytes, '[', len) == NULL &&
	       memchr(text.bytes, ']', len) == NULL &&
	       is_port(http_text_skip(text, len));
}

/* Cuts "http://host" off a target, as far as it has that. False: it has a host
 * that is none. */
static bool
take_host(struct http_request *request, struct slice *target)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t scheme = strlen(schemes[i]), len = scheme;

		if (target->len < scheme ||
		    strncasecmp(target->bytes, schemes[i], scheme) != 0)
			continue;
		while (len < target->len && target->bytes[len] != '/' &&
		       target->bytes[len] != '?')
			len++;
		request->host = slice_of(target->bytes + scheme, len - scheme);
		*target = http_text_skip(*target, len);
		return request->host.len > 0 && request->host.bytes[0] != ':' &&
		       http_target_is_host(request->host);
	}
	return true;
}

const char *
http_target_read(struct http_request *request, struct slice target)
{
	struct slice whole = target;

	if (slice_is(target, "*") && slice_is(request->method, "OPTIONS")) {
		request->path = target;
		request->query = slice_of(NULL, 0);
		return NULL;
	}
	if (!take_host(request, &target))
		return "the host in the target is not legal";
	if (request->host.bytes == NULL &&
	    (target.len == 0 || target.bytes[0] != '/'))
		return "the target must be a path, or http:// with a host";
	if (!http_text_all(target, HTTP_IN_TARGET))
		return "a character in the target is not legal";
	request->path = target; /* stays when there is none */
	http_text_next(&target, '?', &request->path);
	/* Behind a host a path may be left out; this slash is as good. */
	if (request->path.len == 0)
		request->path =
		    slice_of(memchr(whole.bytes, '/', whole.len), 1);
	request->query = target;
	return NULL;
}
