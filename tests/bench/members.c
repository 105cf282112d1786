/* members: the subscribers of one process of a crowd. See members.h. */
#include "tests/bench/members.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/answer.h"
#include "tests/bench/sse_parser.h"
#include "tests/bench/unpack.h"
#include "tests/bench/wire.h"

enum { READ_BYTES = 1 << 18, TURN_EVENTS = 256 };

struct member {
	int fd;
	bool ready;
	bool live; /* has had the event of this name */
	size_t number;
	struct answer answer;
	struct unpack *unpack; /* of a body that is coded; else NULL */
	struct sse_parser parser;
	struct tally_slot *slots;
};

struct members {
	const struct plan *plan;
	struct plan_shared *shared;
	struct tally *tally;
	size_t process;
	int control;
	int epoll;
	size_t count;
	size_t opened;
	size_t ready;
	uint64_t now_ns;   /* when the last bytes were read */
	uint64_t since_ns; /* what comes was published then or later */
	struct member *all;
};

/* For the parser, which knows nothing of members. */
struct reading {
	struct members *members;
	struct member *member;
};

static void
take_event(const char *type, const char *data, void *context)
{
	struct reading *reading = context;
	struct members *members = reading->members;
	struct member *member = reading->member;
	struct wire_mark mark;
	long slot = -1;

	if (strcmp(type, "live") == 0)
		member->live = true;
	if (!wire_read_mark(data, &mark)) {
		/* What a server says by itself has a name. */
		members->tally->strays += *type == '\0';
		return;
	}
	if (mark.channel < members->plan->channels)
		slot = plan_slot(members->plan, member->number, mark.channel);
	if (slot == -1) {
		members->tally->strays++;
		return;
	}
	if (tally_take(members->tally, &member->slots[slot], mark.number))
		tally_time(members->tally, mark.time_ns, members->now_ns,
		    members->since_ns);
}

static void
take_text(const char *bytes, size_t len, void *context)
{
	struct reading *reading = context;

	sse_parser_take(
	    &reading->member->parser, bytes, len, take_event, context);
}

static void
take_body(const char *bytes, size_t len, void *context)
{
	struct reading *reading = context;
	struct member *member = reading->member;

	if (member->answer.coding == UNPACK_NOTHING) {
		take_text(bytes, len, context);
		return;
	}
	if (member->unpack == NULL)
		member->unpack = unpack_create(member->answer.coding);
	errno = 0;
	if (member->unpack == NULL ||
	    unpack_take(member->unpack, bytes, len, take_text, context) == -1)
		plan_fail("a body is not what its head says");
}

static bool
is_ready(const struct members *members, const struct member *member)
{
	if (members->plan->backlog > 0)
		return member->slots[0].last >= members->plan->backlog;
	return members->plan->wait_live ? member->live
					: member->answer.place != ANSWER_HEAD;
}

/* Ends the program when it is no answer, or not the one that was hoped for. */
static void
check_answer(const struct answer *answer, const char *bytes, size_t len)
{
	errno = 0;
	if (answer->place == ANSWER_BROKEN)
		plan_fail("the server answers what is no HTTP");
	if (answer->place == ANSWER_ENDED)
		plan_fail("the server has ended a stream");
	if (answer->place == ANSWER_HEAD || answer->status == 200)
		return;
	fprintf(stderr, "crowd: answered %d: %.*s\n", answer->status,
	    len < 300 ? (int)len : 300, bytes);
	exit(1);
}

static void
read_member(struct members *members, struct member *member)
{
	static char bytes[READ_BYTES];
	struct reading reading = {members, member};
	ssize_t len = read(member->fd, bytes, sizeof(bytes));

	if (len <= 0) {
		if (len == -1 && errno == EAGAIN)
			return;
		errno = len == 0 ? 0 : errno;
		plan_fail("the server has ended a stream");
	}
	members->now_ns = plan_now_ns();
	members->tally->bytes += (uint64_t)len;
	answer_take(&member->answer, bytes, (size_t)len, take_body, &reading);
	check_answer(&member->answer, bytes, (size_t)len);
	if (!member->ready && is_ready(members, member)) {
		member->ready = true;
		members->ready++;
	}
}

/* Each process has an address of its own, so that ports suffice. */
static int
connect_from(size_t process, const struct sockaddr_in *to)
{
	struct sockaddr_in from = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)process),
	};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		plan_fail("cannot open a socket");
	/* The port is chosen when it connects. */
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&from, sizeof(from)) == -1 ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)) == -1)
		plan_fail("cannot connect");
	return fd;
}

static void
open_member(struct members *members, struct member *member)
{
	static char request[WIRE_REQUEST];
	struct sockaddr_in to;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = member};
	size_t len = wire_request(members->plan, member->number, &to, request);

	member->fd = connect_from(members->process, &to);
	if (send(member->fd, request, len, 0) != (ssize_t)len)
		plan_fail("cannot send a request");
	if (fcntl(member->fd, F_SETFL, O_NONBLOCK) == -1 ||
	    epoll_ctl(members->epoll, EPOLL_CTL_ADD, member->fd, &event) == -1)
		plan_fail("cannot watch a socket");
}

static void
settle(struct members *members)
{
	const struct plan *plan = members->plan;

	for (size_t i = 0; i < members->count; i++) {
		struct member *member = &members->all[i];

		for (size_t j = 0; j < plan->per_subscriber; j++) {
			size_t channel = plan_channel(plan, member->number, j);

			tally_settle(members->tally, &member->slots[j],
			    members->shared->published[channel]);
		}
	}
}

/* Whatever has come until now, or has not, is over. */
static void
clear(struct members *members)
{
	size_t slots = members->count * members->plan->per_subscriber;

	for (size_t i = 0; i < slots; i++)
		tally_settle(members->tally, &members->all->slots[i],
		    members->all->slots[i].last);
	memset(members->tally, 0, sizeof(*members->tally));
	members->since_ns = plan_now_ns();
}

static void
obey(struct members *members)
{
	char word;

	if (read(members->control, &word, 1) != 1)
		exit(0);
	if (word == MEMBERS_SETTLE)
		settle(members);
	else
		clear(members);
	if (write(members->control, &word, 1) != 1)
		exit(0);
}

/* Tells the crowd how many have come, and that it was waiting for them. */
static void
count_up(struct members *members, uint64_t more)
{
	struct plan_shared *shared = members->shared;
	uint64_t old, awaited, one = 1;

	if (more == 0)
		return;
	old = atomic_fetch_add(&shared->received, more);
	awaited = atomic_load(&shared->awaited);
	if (old < awaited && old + more >= awaited &&
	    write(shared->bell, &one, sizeof(one)) != sizeof(one))
		plan_fail("cannot ring the bell");
}

static void
turn(struct members *members)
{
	struct epoll_event events[TURN_EVENTS];
	int count = epoll_wait(members->epoll, events, TURN_EVENTS, -1);
	uint64_t before = members->tally->fresh;
	bool told = false;

	if (count == -1 && errno != EINTR)
		plan_fail("cannot wait");
	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr == NULL)
			told = true;
		else
			read_member(members, events[i].data.ptr);
	}
	count_up(members, members->tally->fresh - before);
	if (told)
		obey(members);
}

static void
make_members(struct members *members)
{
	const struct plan *plan = members->plan;
	struct tally_slot *slots;
	struct epoll_event event = {.events = EPOLLIN};

	members->epoll = epoll_create1(EPOLL_CLOEXEC);
	members->all = calloc(members->count + 1, sizeof(*members->all));
	slots =
	    calloc(members->count * plan->per_subscriber + 1, sizeof(*slots));
	if (members->epoll == -1 || members->all == NULL || slots == NULL ||
	    epoll_ctl(
		members->epoll, EPOLL_CTL_ADD, members->control, &event) == -1)
		plan_fail("cannot begin");
	for (size_t i = 0; i < members->count; i++) {
		members->all[i].number = i * plan->processes + members->process;
		members->all[i].slots = slots + i * plan->per_subscriber;
	}
	for (size_t i = 0; i < members->count * plan->per_subscriber; i++)
		slots[i].last = slots[i].settled = plan->first;
}

void
members_run(const struct plan *plan, struct plan_shared *shared, size_t process,
    int control)
{
	struct members members = {
	    .plan = plan,
	    .shared = shared,
	    .tally = &shared->tallies[process],
	    .process = process,
	    .control = control,
	    .count = (plan->subscribers + plan->processes - 1 - process) /
		     plan->processes,
	};
	char word = MEMBERS_READY;

	make_members(&members);
	while (members.ready < members.count) {
		while (members.opened < members.count &&
		       members.opened - members.ready < plan->opening)
			open_member(&members, &members.all[members.opened++]);
		turn(&members);
	}
	if (write(control, &word, 1) != 1)
		exit(0);
	for (;;)
		turn(&members);
}
