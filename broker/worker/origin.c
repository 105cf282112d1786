/* origin: pages that may ask. See origin.h. */
#include "broker/worker/origin.h"

#include <strings.h>

#include "broker/shared/config.h"
#include "broker/worker/http.h"
#include "broker/worker/http_text.h"

/* What is behind "http://" or "https://"; empty for anything else. */
static struct slice
host_of(struct slice origin)
{
	static const struct slice schemes[] = {{"http://", 7}, {"https://", 8}};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (origin.len > schemes[i].len &&
		    strncasecmp(
			origin.bytes, schemes[i].bytes, schemes[i].len) == 0)
			return http_text_skip(origin, schemes[i].len);
	}
	return slice_of(NULL, 0);
}

bool
origin_allowed(const struct config *config, const struct http_request *request)
{
	size_t origins, hosts;
	struct slice origin = host_of(http_header(request, "origin", &origins));
	struct slice host = http_header(request, "host", &hosts);

	(void)config;
	return origins == 1 && hosts == 1 && origin.len > 0 &&
	       origin.len == host.len &&
	       strncasecmp(origin.bytes, host.bytes, host.len) == 0;
}
