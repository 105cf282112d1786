/*
 * crowd: subscribers by the ten thousand, and the publisher they wait for.
 *
 *	crowd -u URL [options]
 *		-u URL	http://ADDRESS:PORT/PATH; %s in it is the channels
 *		-P TO	where to publish, see target.h; else it cannot
 *		-n N	subscribers, 1000
 *		-p N	processes of them; as many as their sockets ask for
 *		-c N	channels, 1
 *		-k N	of them for each subscriber, 1
 *		-s N	bytes of an event, 200
 *		-j	events are JSON, of orders
 *		-l	who has had the event "live" is ready
 *		-b N	who has had event N is ready
 *		-f N	events before the first one, which are not expected
 *		-o N	connections in the making per process, 500
 *		-g N	seconds without an event after which the rest is lost,
 *			10
 *		-H LINE	one more line of the request
 *
 * When all are ready it prints a line of JSON; then it reads commands, a line
 * each, and prints a line of JSON when all have what was published:
 *	paced RATE SECONDS	so many events per second, so long
 *	steady EVENTS SECONDS	each when all have the one before, and not
 *				longer than that
 *	burst EVENTS		as fast as it goes
 *	nobody EVENTS		the same, on a channel without readers
 * Times run from when an event was due (paced) or published to when it was
 * read. It says how many events were missing, doubled, swapped (behind a later
 * one), late (when they had been given up), strays (of channels not asked for)
 * or untimely (published in the future or before the command), and all these
 * as faults. It ends with its input, or when its parent does.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/members.h"
#include "tests/bench/pour.h"

struct crowd {
	struct plan plan;
	struct plan_shared *shared;
	struct pour pour;
	int controls[PLAN_PROCESSES_MAX];
};

static uint64_t
number_of(const char *text, uint64_t least, uint64_t most)
{
	char *end;
	uint64_t number = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0' || number < least || number > most) {
		fprintf(stderr,
		    "crowd: %s is no number from %" PRIu64 " to %" PRIu64 "\n",
		    text, least, most);
		exit(64);
	}
	return number;
}

static void
take_option(struct plan *plan, int option, const char *value)
{
	switch (option) {
	case 'u':
		plan->url = value;
		break;
	case 'P':
		plan->publish = value;
		break;
	case 'H':
		plan->header = value;
		break;
	case 'n':
		plan->subscribers = number_of(value, 0, 200000);
		break;
	case 'p':
		plan->processes = number_of(value, 1, PLAN_PROCESSES_MAX);
		break;
	case 'c':
		plan->channels = number_of(value, 1, PLAN_CHANNELS_MAX);
		break;
	case 'k':
		plan->per_subscriber =
		    number_of(value, 1, PLAN_PER_SUBSCRIBER_MAX);
		break;
	case 's':
		plan->event_bytes = number_of(value, 1, PLAN_EVENT_MAX);
		break;
	case 'j':
		plan->json = true;
		break;
	case 'l':
		plan->wait_live = true;
		break;
	case 'b':
		plan->backlog = number_of(value, 1, UINT32_MAX);
		break;
	case 'f':
		plan->first = number_of(value, 0, UINT32_MAX);
		break;
	case 'g':
		plan->give_up_s = number_of(value, 1, 3600);
		break;
	case 'o':
		plan->opening = number_of(value, 1, PLAN_PER_PROCESS_MAX);
		break;
	default:
		fprintf(stderr, "usage: see tests/bench/crowd.c\n");
		exit(64);
	}
}

static void
read_options(struct plan *plan, int argc, char **argv)
{
	int option;

	*plan = (struct plan){
	    .subscribers = 1000,
	    .channels = 1,
	    .per_subscriber = 1,
	    .event_bytes = 200,
	    .opening = 500,
	    .give_up_s = 10,
	};
	while (
	    (option = getopt(argc, argv, "u:P:H:n:p:c:k:s:jlb:f:g:o:")) != -1)
		take_option(plan, option, optarg);
	errno = 0;
	if (plan->url == NULL || optind != argc)
		plan_fail("-u is missing, or there is an argument too many");
	if (plan->channels % plan->per_subscriber != 0)
		plan_fail("-c must be a multiple of -k");
	if (plan->processes == 0)
		plan->processes =
		    1 + plan->subscribers / (PLAN_PER_PROCESS_MAX + 1);
	if (plan->subscribers > plan->processes * PLAN_PER_PROCESS_MAX)
		plan_fail("so many subscribers need more processes, -p");
}

static void
start_process(struct crowd *crowd, size_t process)
{
	int pair[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		plan_fail("cannot make a socket pair");
	child = fork();
	if (child == -1)
		plan_fail("cannot fork");
	if (child == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
			exit(1);
		for (size_t i = 0; i < process; i++)
			close(crowd->controls[i]);
		close(pair[0]);
		members_run(&crowd->plan, crowd->shared, process, pair[1]);
	}
	close(pair[1]);
	crowd->controls[process] = pair[0];
}

static void
share(struct crowd *crowd)
{
	size_t bytes =
	    sizeof(*crowd->shared) + crowd->plan.channels * sizeof(uint64_t);

	crowd->shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crowd->shared == MAP_FAILED)
		plan_fail("no memory");
	atomic_store(&crowd->shared->awaited, UINT64_MAX);
	crowd->shared->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (crowd->shared->bell == -1)
		plan_fail("no eventfd");
}

/* Each process says the word; its end is the crowd's, too. */
static void
hear_all(const struct crowd *crowd)
{
	char word;

	for (size_t i = 0; i < crowd->plan.processes; i++)
		if (read(crowd->controls[i], &word, 1) != 1)
			exit(1);
}

static void
tell_all(const struct crowd *crowd, char word)
{
	for (size_t i = 0; i < crowd->plan.processes; i++)
		if (send(crowd->controls[i], &word, 1, MSG_NOSIGNAL) != 1)
			exit(1);
	hear_all(crowd);
}

static void
print_report(
    const struct crowd *crowd, uint64_t events, uint64_t expected, uint64_t ns)
{
	static struct tally sum;

	memset(&sum, 0, sizeof(sum));
	for (size_t i = 0; i < crowd->plan.processes; i++)
		tally_add(&sum, &crowd->shared->tallies[i]);
	printf("{\"events\": %" PRIu64 ", \"expected\": %" PRIu64
	       ", \"deliveries\": %" PRIu64 ", \"seconds\": %.6f, "
	       "\"missing\": %" PRIu64 ", \"doubled\": %" PRIu64
	       ", \"swapped\": %" PRIu64 ", \"late\": %" PRIu64
	       ", \"strays\": %" PRIu64 ", \"untimely\": %" PRIu64
	       ", \"faults\": %" PRIu64 ", \"bytes\": %" PRIu64
	       ", \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
	    events, expected, sum.fresh, (double)ns / 1e9, sum.missing,
	    sum.doubled, sum.swapped, sum.late, sum.strays, sum.untimely,
	    tally_faults(&sum), sum.bytes,
	    (double)tally_quantile(&sum, 500) / 1e3,
	    (double)tally_quantile(&sum, 990) / 1e3, (double)sum.longest / 1e3);
	fflush(stdout);
}

static bool
do_command(struct pour *pour, const char *line)
{
	double rate, seconds;
	uint64_t events;

	if (sscanf(line, "paced %lf %lf", &rate, &seconds) == 2 && rate > 0)
		pour_paced(pour, rate, seconds);
	else if (sscanf(line, "steady %" SCNu64 " %lf", &events, &seconds) == 2)
		pour_steady(pour, events, seconds);
	else if (sscanf(line, "burst %" SCNu64, &events) == 1)
		pour_burst(pour, events);
	else if (sscanf(line, "nobody %" SCNu64, &events) == 1)
		pour_nobody(pour, events);
	else
		return false;
	return true;
}

static void
obey(struct crowd *crowd, const char *line)
{
	struct pour *pour = &crowd->pour;
	uint64_t published = pour->published, expected = pour->expected;
	uint64_t start;

	tell_all(crowd, MEMBERS_CLEAR);
	start = plan_now_ns();
	if (!do_command(pour, line)) {
		fprintf(stderr, "crowd: no command: %s", line);
		exit(64);
	}
	start = plan_now_ns() - start;
	memcpy(crowd->shared->published, pour->numbers,
	    crowd->plan.channels * sizeof(*pour->numbers));
	tell_all(crowd, MEMBERS_SETTLE);
	print_report(crowd, pour->published - published,
	    pour->expected - expected, start);
	/* What was lost is not waited for again. */
	pour->expected = atomic_load(&crowd->shared->received);
}

int
main(int argc, char **argv)
{
	static struct crowd crowd;
	struct target *target = NULL;
	uint64_t start;
	char line[200];

	read_options(&crowd.plan, argc, argv);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		plan_fail("cannot ignore SIGPIPE");
	share(&crowd);
	start = plan_now_ns();
	for (size_t i = 0; i < crowd.plan.processes; i++)
		start_process(&crowd, i);
	hear_all(&crowd);
	if (crowd.plan.publish != NULL)
		target = target_open(crowd.plan.publish);
	pour_init(&crowd.pour, &crowd.plan, crowd.shared, target);
	crowd.pour.expected = atomic_load(&crowd.shared->received);
	print_report(&crowd, 0, 0, plan_now_ns() - start);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (target == NULL)
			plan_fail("-P is missing");
		obey(&crowd, line);
	}
	return 0;
}
