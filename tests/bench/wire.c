/* wire: the bytes of requests and of events. See wire.h. */
#include "tests/bench/wire.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number and the space behind it; NULL: there is none. */
static const char *
read_number(const char *text, uint64_t *number)
{
	uint64_t value = 0;

	if (*text < '0' || *text > '9')
		return NULL;
	while (*text >= '0' && *text <= '9')
		value = value * 10 + (uint64_t)(*text++ - '0');
	*number = value;
	return *text == ' ' ? text + 1 : NULL;
}

bool
wire_read_mark(const char *data, struct wire_mark *mark)
{
	const char *at = strchr(data, '@');
	uint64_t channel = 0;

	if (at == NULL)
		return false;
	at = read_number(at + 1, &channel);
	if (at != NULL)
		at = read_number(at, &mark->number);
	if (at != NULL)
		at = read_number(at, &mark->time_ns);
	mark->channel = (size_t)channel;
	return at != NULL;
}

size_t
wire_write_event(
    const struct wire_mark *mark, size_t bytes, char data[PLAN_EVENT_MAX])
{
	int len =
	    snprintf(data, PLAN_EVENT_MAX, "@%zu %" PRIu64 " %" PRIu64 " ",
		mark->channel, mark->number, mark->time_ns);

	if (len < 0 || bytes > PLAN_EVENT_MAX)
		abort();
	if ((size_t)len >= bytes)
		return (size_t)len;
	memset(data + len, 'x', bytes - (size_t)len);
	return bytes;
}

/* Numbers that follow from the event's, in no order. */
static unsigned
draw(uint64_t *state, unsigned below)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(*state >> 33) % below;
}

size_t
wire_write_order(const struct wire_mark *mark, char data[PLAN_EVENT_MAX])
{
	static const char *const statuses[] = {
	    "placed", "paid", "packed", "shipped", "delivered", "returned"};
	uint64_t state = mark->number * 1000003 + mark->channel;
	unsigned order = draw(&state, 1000000), user = draw(&state, 100000);
	unsigned status = draw(&state, 6), cents = draw(&state, 100000);
	int len = snprintf(data, PLAN_EVENT_MAX,
	    "{\"mark\":\"@%zu %" PRIu64 " %" PRIu64 " \",\"order\":\"ord_%u\","
	    "\"customer\":\"cus_%u\",\"status\":\"%s\",\"total_cents\":%u,"
	    "\"currency\":\"EUR\",\"items\":[{\"sku\":\"SKU-%u\","
	    "\"quantity\":%u},{\"sku\":\"SKU-%u\",\"quantity\":%u}],"
	    "\"updated_by\":\"user_%u\",\"warehouse\":\"wh-%u\"}",
	    mark->channel, mark->number, mark->time_ns, order, user,
	    statuses[status], cents, draw(&state, 10000), draw(&state, 9),
	    draw(&state, 10000), draw(&state, 9), draw(&state, 1000),
	    draw(&state, 20));

	if (len < 0 || len >= PLAN_EVENT_MAX)
		abort();
	return (size_t)len;
}

const char *
wire_address(const char *url, struct sockaddr_in *address)
{
	static const char scheme[] = "http://";
	char host[32];
	const char *colon;
	char *end;
	unsigned long port;

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		plan_fail("a URL begins with http://");
	url += sizeof(scheme) - 1;
	colon = strchr(url, ':');
	if (colon == NULL || (size_t)(colon - url) >= sizeof(host))
		plan_fail("a URL needs an address in numbers and a port");
	memcpy(host, url, (size_t)(colon - url));
	host[colon - url] = '\0';
	port = strtoul(colon + 1, &end, 10);
	*address = (struct sockaddr_in){
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	};
	if (port == 0 || port > 65535 || *end != '/' ||
	    inet_pton(AF_INET, host, &address->sin_addr) != 1)
		plan_fail("a URL needs an address in numbers and a port");
	return end;
}

/* The subscriber's channels, divided by commas. */
static void
write_channels(
    const struct plan *plan, size_t subscriber, char *out, size_t room)
{
	size_t used = 0;

	for (size_t j = 0; j < plan->per_subscriber; j++) {
		int len = snprintf(out + used, room - used, "%sb%zu",
		    j == 0 ? "" : ",", plan_channel(plan, subscriber, j));

		if (len < 0 || (size_t)len >= room - used)
			plan_fail("too many channels for one request");
		used += (size_t)len;
	}
}

size_t
wire_request(const struct plan *plan, size_t subscriber, struct sockaddr_in *to,
    char request[WIRE_REQUEST])
{
	static char channels[WIRE_REQUEST];
	const char *path = wire_address(plan->url, to);
	const char *where = strstr(path, "%s");
	int len;

	write_channels(plan, subscriber, channels, sizeof(channels));
	if (where == NULL) {
		where = path + strlen(path);
		channels[0] = '\0';
	}
	len = snprintf(request, WIRE_REQUEST,
	    "GET %.*s%s%s HTTP/1.1\r\nHost: localhost\r\n"
	    "Accept: text/event-stream\r\n%s%s\r\n",
	    (int)(where - path), path, channels,
	    *where == '%' ? where + 2 : where,
	    plan->header == NULL ? "" : plan->header,
	    plan->header == NULL ? "" : "\r\n");
	if (len < 0 || len >= WIRE_REQUEST)
		plan_fail("the request is too long");
	return (size_t)len;
}
