/* config_http: origins and proxies of the configuration. See config_http.h. */
#include "broker/shared/config_http.h"

#include <string.h>

#include "broker/shared/address.h"
#include "protocol/slice.h"

enum { SHOWN_MAX = 80 };

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char digits[] = "0123456789";

static int
fail(char *error, const char *setting, const char *item, const char *expected)
{
	snprintf(error, CONFIG_ERROR_SIZE, "http.%s: got \"%.*s\", expected %s",
	    setting, SHOWN_MAX, item, expected);
	return -1;
}

/* The length of what consists of these characters at the start. */
static size_t
span(const char *text, const char *more)
{
	size_t len = 0;

	while (text[len] != '\0' && (strchr(lower, text[len]) != NULL ||
					strchr(digits, text[len]) != NULL ||
					strchr(more, text[len]) != NULL))
		len++;
	return len;
}

/* What stands between "://" and the port; 0 when it is no host. */
static size_t
host_length(const char *text)
{
	size_t len;

	if (text[0] != '[')
		return span(text, "-._");
	len = 1 + span(text + 1, ":.");
	return len > 2 && text[len] == ']' ? len + 1 : 0;
}

/* Nothing, or ":" and a port that a browser would not leave out. */
static bool
is_origin_port(const char *scheme, const char *text)
{
	unsigned number = 0;
	size_t len;

	if (text[0] == '\0')
		return true;
	len = strspn(text + 1, digits);
	if (text[0] != ':' || len == 0 || len > 5 || text[1] == '0' ||
	    text[1 + len] != '\0')
		return false;
	for (size_t i = 1; i <= len; i++)
		number = number * 10 + (unsigned)(text[i] - '0');
	if ((number == 80 && strncmp(scheme, "http:", 5) == 0) ||
	    (number == 443 && strncmp(scheme, "https:", 6) == 0))
		return false;
	return number <= 65535;
}

/* As a browser writes it: scheme://host[:port], in lower case. */
static bool
is_origin(const char *text)
{
	size_t scheme = span(text, "+-.");
	size_t host;

	if (scheme == 0 || strchr(lower, text[0]) == NULL ||
	    strncmp(text + scheme, "://", 3) != 0)
		return false;
	host = host_length(text + scheme + 3);
	return host > 0 && is_origin_port(text, text + scheme + 3 + host);
}

static int
check_origins(const struct config_list *list, char *error)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], "*") == 0 && list->count == 1)
			return 0;
		if (!is_origin(list->items[i]))
			return fail(error, "cors_origins", list->items[i],
			    "scheme://host or scheme://host:port as a browser "
			    "says it, in lower case and without the port that "
			    "is usual; or * alone");
	}
	return 0;
}

/* As a browser writes it behind "://": in lower case, without a port. */
static int
check_hosts(const struct config_list *list, char *error)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *name = list->items[i];
		size_t len = span(name, "-._");

		if (len == 0 || name[len] != '\0')
			return fail(error, "hosts", name,
			    "a name in lower case, without a port");
	}
	return 0;
}

int
config_http_check(const struct config *config, char error[CONFIG_ERROR_SIZE])
{
	const struct config_list *proxies = &config->http_trusted_proxies;

	for (size_t i = 0; i < proxies->count; i++) {
		struct address_range range;
		const char *why;

		if (address_range_parse(
			&range, slice_of_text(proxies->items[i]), &why) == -1) {
			snprintf(error, CONFIG_ERROR_SIZE,
			    "http.trusted_proxies: got \"%.*s\": %s", SHOWN_MAX,
			    proxies->items[i], why);
			return -1;
		}
	}
	if (config->http_proxy_protocol && proxies->count == 0) {
		snprintf(error, CONFIG_ERROR_SIZE,
		    "http.proxy_protocol: http.trusted_proxies must say from "
		    "whom");
		return -1;
	}
	return check_hosts(&config->http_hosts, error) == -1
		   ? -1
		   : check_origins(&config->http_cors_origins, error);
}
