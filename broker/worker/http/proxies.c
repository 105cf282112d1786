/* proxies: clients behind trusted proxies. See proxies.h. */
#include "broker/worker/http/proxies.h"

#include <stdlib.h>
#include <strings.h>

#include "broker/shared/config.h"
#include "broker/worker/http/http.h"

int
proxies_init(struct proxies *proxies, const struct config *config)
{
	const struct config_list *list = &config->http_trusted_proxies;

	*proxies = (struct proxies){.count = 0};
	if (list->count == 0)
		return 0;
	proxies->trusted = calloc(list->count, sizeof(proxies->trusted[0]));
	if (proxies->trusted == NULL)
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		const char *why;

		/* That it is good was seen when it was loaded. */
		if (address_range_parse(&proxies->trusted[proxies->count],
			slice_of_text(list->items[i]), &why) == 0)
			proxies->count++;
	}
	return 0;
}

void
proxies_finish(struct proxies *proxies)
{
	free(proxies->trusted);
	*proxies = (struct proxies){.count = 0};
}

bool
proxies_trust(const struct proxies *proxies, const struct address *address)
{
	for (size_t i = 0; i < proxies->count; i++) {
		if (address_in_range(address, &proxies->trusted[i]))
			return true;
	}
	return false;
}

/* Cuts what stands behind the last comma off *list. */
static struct slice
cut_last(struct slice *list)
{
	const char *comma = memrchr(list->bytes, ',', list->len);
	struct slice last = *list;

	if (comma == NULL) {
		*list = slice_of(NULL, 0);
		return slice_trim(last);
	}
	list->len = (size_t)(comma - list->bytes);
	return slice_trim(slice_of(comma + 1, last.len - list->len - 1));
}

/* Goes on to the left in one header. True: *client is who it is; false: all
 * in it are trusted. */
static bool
walk(const struct proxies *proxies, struct slice list, struct address *client)
{
	while (list.bytes != NULL) {
		struct address next;

		if (address_parse_forwarded(&next, cut_last(&list)) == -1)
			return true;
		*client = next;
		if (!proxies_trust(proxies, &next))
			return true;
	}
	return false;
}

static bool
is_forwarded_for(struct slice name)
{
	static const char header[] = "X-Forwarded-For";

	return name.len == strlen(header) &&
	       strncasecmp(name.bytes, header, name.len) == 0;
}

struct address
proxies_client(const struct proxies *proxies,
    const struct http_request *request, struct address from)
{
	struct address client = from;

	for (size_t i = request->header_count; i-- > 0;) {
		const struct http_header *header = &request->headers[i];

		if (is_forwarded_for(header->name) &&
		    walk(proxies, header->value, &client))
			break;
	}
	return client;
}
