/* groups: the floor's subscribers, by channel. See groups.h. */
#include "tests/bench/groups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { CHANNELS_MAX = 100000, FDS_MAX = 20480, FIRST_ROOM = 4 };

/* Who is gone stays in a channel until it is sent to: its turn is over. */
struct member {
	int fd;
	unsigned turn;
};

struct group {
	size_t count;
	size_t room;
	struct member *members;
};

struct groups {
	unsigned turns[FDS_MAX]; /* of each descriptor: who has it now */
	struct group all[CHANNELS_MAX];
};

static void *
must_have(void *memory)
{
	if (memory == NULL) {
		fprintf(stderr, "floor: no memory\n");
		exit(1);
	}
	return memory;
}

struct groups *
groups_create(void)
{
	return must_have(calloc(1, sizeof(struct groups)));
}

static void
add_to(struct groups *groups, size_t channel, int fd)
{
	struct group *group = &groups->all[channel];

	if (group->count == group->room) {
		group->room = group->room == 0 ? FIRST_ROOM : 2 * group->room;
		group->members = must_have(realloc(
		    group->members, group->room * sizeof(*group->members)));
	}
	group->members[group->count++] = (struct member){fd, groups->turns[fd]};
}

void
groups_add(struct groups *groups, int fd, const char *request)
{
	const char *at = request + 4; /* GET and a space */
	size_t added = 0;

	if (fd >= FDS_MAX)
		return;
	while ((*at == '/' || *at == ',') && at[1] == 'b') {
		char *end;
		unsigned long channel = strtoul(at + 2, &end, 10);

		if (channel < CHANNELS_MAX) {
			add_to(groups, channel, fd);
			added++;
		}
		at = end;
	}
	if (added == 0)
		add_to(groups, 0, fd);
}

void
groups_remove(struct groups *groups, int fd)
{
	if (fd < FDS_MAX)
		groups->turns[fd]++;
}

void
groups_write(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		/* Who is gone is seen when it is read from. */
		if (sent == -1 && errno != EINTR)
			return;
		if (sent > 0) {
			bytes += sent;
			len -= (size_t)sent;
		}
	}
}

void
groups_send(
    struct groups *groups, size_t channel, const char *bytes, size_t len)
{
	struct group *group =
	    &groups->all[channel < CHANNELS_MAX ? channel : 0];
	struct member *members = group->members;

	for (size_t i = 0; i < group->count;) {
		if (members[i].turn != groups->turns[members[i].fd]) {
			members[i] = members[--group->count];
			continue;
		}
		groups_write(members[i].fd, bytes, len);
		i++;
	}
}
