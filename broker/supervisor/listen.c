/* listen: the sockets of the broker. See listen.h. */
#include "broker/supervisor/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/shared/heritage.h"
#include "broker/shared/log.h"
#include "broker/supervisor/state.h"

enum {
	HTTP_BACKLOG = 4096,
	PUBLISH_BACKLOG = 1024,
};

/* --- the publisher socket --- */

static int
make_parent(const char *path)
{
	char *copy = strdup(path);
	char *slash = copy != NULL ? strrchr(copy, '/') : NULL;
	int result = 0;

	if (slash != NULL && slash != copy) {
		*slash = '\0';
		result = state_make_folder(copy, 0755);
	}
	free(copy);
	return result;
}

/* Removes a socket that nobody listens on any more. */
static int
remove_stale(const struct sockaddr_un *address)
{
	struct stat status;
	int fd, result;

	if (lstat(address->sun_path, &status) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(status.st_mode)) {
		errno = ENOTSOCK;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	result =
	    connect(fd, (const struct sockaddr *)address, sizeof(*address));
	close(fd);
	if (result == 0) {
		errno = EADDRINUSE;
		return -1;
	}
	return unlink(address->sun_path);
}

static int
set_socket_access(const struct config *config)
{
	const char *path = config->publish_socket;
	const char *name = config->publish_group;

	if (*name != '\0') {
		const struct group *group = getgrnam(name);

		if (group == NULL && config->publish_group_given) {
			log_warn("publish.group: there is no group %s", name);
			return -1;
		}
		if (group == NULL)
			log_warn("there is no group %s: the publisher socket "
				 "keeps its group",
			    name);
		else if (chown(path, (uid_t)-1, group->gr_gid) == -1) {
			log_warn("give %s to group %s: %m", path, name);
			return -1;
		}
	}
	if (chmod(path, config->publish_mode) == -1) {
		log_warn("set the mode of %s: %m", path);
		return -1;
	}
	return 0;
}

static int
listen_publishers(const struct config *config, int *fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = config->publish_socket;
	mode_t mask;
	int result;

	memcpy(address.sun_path, path, strlen(path) + 1);
	if (make_parent(path) == -1)
		return -1;
	if (remove_stale(&address) == -1) {
		log_warn(errno == ENOTSOCK
			     ? "publish.socket %s: what is there is no socket"
			     : "publish.socket %s: %m",
		    path);
		return -1;
	}
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mask = umask(0177); /* nobody else, until mode and group are set */
	result = *fd == -1 ? -1
			   : bind(*fd, (const struct sockaddr *)&address,
				 sizeof(address));
	umask(mask);
	if (result == -1 || listen(*fd, PUBLISH_BACKLOG) == -1) {
		log_warn("publish.socket %s: %m", path);
		return -1;
	}
	return set_socket_access(config);
}

/* --- HTTP --- */

/* getaddrinfo() would take 65616 for 80. */
static bool
is_port(const char *text)
{
	unsigned long port = 0;

	for (const char *digit = text; *digit != '\0'; digit++) {
		if (*digit < '0' || *digit > '9' || port > UINT16_MAX)
			return false;
		port = port * 10 + (unsigned long)(*digit - '0');
	}
	return *text != '\0' && port <= UINT16_MAX;
}

/* Cuts "host:port" or "[host]:port" in two, in place. */
static int
split_address(char *text, char **host, char **port)
{
	char *colon = strrchr(text, ':');

	if (colon == NULL || !is_port(colon + 1))
		return -1;
	*colon = '\0';
	*port = colon + 1;
	*host = text;
	if (text[0] == '[') {
		if (colon[-1] != ']')
			return -1;
		colon[-1] = '\0';
		*host = text + 1;
	} else if (strchr(text, ':') != NULL) {
		return -1;
	}
	return 0;
}

static bool
is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in =
		    (const struct sockaddr_in *)(const void *)address;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	return IN6_IS_ADDR_LOOPBACK(
	    &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

/* "::" serves IPv4 too. */
static bool
is_any(const struct sockaddr *address)
{
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(
		   &((const struct sockaddr_in6 *)(const void *)address)
			->sin6_addr);
}

/* A listening socket whose connections inherit its options; or -1. */
static int
listen_address(const struct config *config, const struct addrinfo *address)
{
	int buffer = (int)config->http_send_buffer;
	int unsent = (int)config->http_send_unsent;
	int v6_only = !is_any(address->ai_addr);
	int on = 1;
	int fd = socket(
	    address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if ((address->ai_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only,
		    sizeof(v6_only)) == -1) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)) ==
		-1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent,
		sizeof(unsent)) == -1 ||
	    bind(fd, address->ai_addr, address->ai_addrlen) == -1 ||
	    listen(fd, HTTP_BACKLOG) == -1) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static void
expected_address(const char *entry)
{
	log_warn("http.listen: %s: expected ADDRESS:PORT or "
		 "[IPV6-ADDRESS]:PORT, in numbers",
	    entry);
}

/* The address of one entry; "*" is every address of the machine. */
static struct addrinfo *
resolve(const char *entry, char *text)
{
	const struct addrinfo hints = {
	    .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
	    .ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *address = NULL;
	char *host, *port;
	const char *name;
	int error;

	if (split_address(text, &host, &port) == -1) {
		expected_address(entry);
		return NULL;
	}
	if (strcmp(host, "localhost") == 0)
		name = "127.0.0.1";
	else if (strcmp(host, "*") == 0)
		name = "::";
	else
		name = host;
	error = getaddrinfo(name, port, &hints, &address);
	if (error == EAI_NONAME)
		expected_address(entry);
	else if (error != 0)
		log_warn("http.listen: %s: %s", entry, gai_strerror(error));
	return error == 0 ? address : NULL;
}

/* Of the preset addresses one may be missing: a machine without IPv6. errno is
 * that of the failure. */
static bool
may_be_missing(const struct config *config)
{
	return !config->http_listen_given &&
	       (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
}

/* The address of an entry that may be served; NULL (logged). The caller frees
 * it with freeaddrinfo(). */
static struct addrinfo *
find_address(const struct config *config, const char *entry)
{
	char *text = strdup(entry);
	struct addrinfo *address = text != NULL ? resolve(entry, text) : NULL;

	free(text);
	if (address == NULL || is_loopback(address->ai_addr) ||
	    config->auth_mode != CONFIG_AUTH_MODE_NONE ||
	    config->auth_none_beyond_loopback)
		return address;
	log_warn("http.listen: %s is not a loopback address, and auth.mode is "
		 "none; to serve everybody who can reach it, say "
		 "auth.none_beyond_loopback = on",
	    entry);
	freeaddrinfo(address);
	return NULL;
}

int
listen_check(const struct config *config)
{
	const struct config_list *list = &config->http_listen;

	for (size_t i = 0; i < list->count; i++) {
		struct addrinfo *address = find_address(config, list->items[i]);

		if (address == NULL)
			return -1;
		freeaddrinfo(address);
	}
	return 0;
}

/* Adds the socket of one entry. 0; or -1 (logged). */
static int
listen_entry(struct heritage *heritage, const char *entry)
{
	const struct config *config = heritage->config;
	struct addrinfo *address = find_address(config, entry);
	int result, fd;

	if (address == NULL)
		return -1;
	fd = listen_address(config, address);
	result = fd != -1 || may_be_missing(config) ? 0 : -1;
	if (fd == -1)
		log_warn("http.listen: %s: %m", entry);
	else
		heritage->http_fds[heritage->http_count++] = fd;
	freeaddrinfo(address);
	return result;
}

static void
log_address(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char host[INET6_ADDRSTRLEN], port[8];

	if (getsockname(fd, (struct sockaddr *)&address, &len) == -1 ||
	    getnameinfo((const struct sockaddr *)&address, len, host,
		sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	log_info(strchr(host, ':') != NULL ? "serving http://[%s]:%s"
					   : "serving http://%s:%s",
	    host, port);
}

static int
listen_http(struct heritage *heritage)
{
	const struct config *config = heritage->config;
	const struct config_list *list = &config->http_listen;

	heritage->http_fds = calloc(list->count, sizeof(int));
	if (heritage->http_fds == NULL)
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		if (listen_entry(heritage, list->items[i]) == -1)
			return -1;
	}
	for (size_t i = 0; i < heritage->http_count; i++)
		log_address(heritage->http_fds[i]);
	return heritage->http_count > 0 ? 0 : -1;
}

int
listen_all(struct heritage *heritage, const struct privileges *privileges)
{
	const struct config *config = heritage->config;

	if (state_prepare(config, privileges) == -1 || state_lock(config) == -1)
		return EX_CANTCREAT;
	if (listen_http(heritage) == -1)
		return EX_UNAVAILABLE;
	if (listen_publishers(config, &heritage->publish_fd) == -1)
		return EX_UNAVAILABLE;
	return EX_OK;
}

void
listen_end(const struct config *config)
{
	if (unlink(config->publish_socket) == -1 && errno != ENOENT)
		log_warn("remove %s: %m", config->publish_socket);
}
