/* notify: readiness. See notify.h. */
#include "broker/supervisor/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/shared/log.h"

void
notify_systemd(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path != NULL ? strlen(path) : 0;
	socklen_t size;
	int fd;

	if (len < 2 || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (address.sun_path[0] == '@') /* an abstract address */
		address.sun_path[0] = '\0';
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || sendto(fd, state, strlen(state), MSG_NOSIGNAL,
			    (const struct sockaddr *)&address, size) == -1)
		log_warn("NOTIFY_SOCKET: %m");
	if (fd != -1)
		close(fd);
}

void
notify_fd(int fd)
{
	if (fd <= 0)
		return;
	if (write(fd, "\n", 1) != 1)
		log_warn("broker.ready_fd: %m");
	close(fd);
}
