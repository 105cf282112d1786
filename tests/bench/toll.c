/*
 * toll: what publishing costs: events into a broker, and the same rows into
 * SQLite alone, with the broker's tables, settings and checkpoints.
 *
 *	toll pipelined SOCKET EVENTS BYTES
 *		as fast as it goes; prints the seconds until all are stored
 *	toll rows FILE EVENTS BYTES
 *		the same into a new database, in transactions of 4,096; prints
 *		the seconds, and those of its processor time
 *	toll blocking SOCKET EVENTS BYTES
 *		each when the one before is stored; prints the median and the
 *		99th of 100 round trips, in microseconds
 *	toll echo FILE EVENTS BYTES
 *		the same to a process that reads from a UNIX socket, commits
 *		one row, and answers
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>
#include <ssemux/pub.h>

enum {
	BYTES_MAX = 65536,
	EVENTS_MAX = 10000000,
	TRANSACTION = 4096,
	CHECKPOINT_PAGES = 1024, /* as the broker does */
	ANSWER_BYTES = 16,
};

static __attribute__((noreturn)) void
fail(const char *what, const char *why)
{
	fprintf(stderr, "toll: %s: %s\n", what, why);
	exit(1);
}

static double
clock_s(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) == -1)
		abort();
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double
now_s(void)
{
	return clock_s(CLOCK_MONOTONIC);
}

static size_t
number_of(const char *text, size_t most)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || number == 0 || number > most)
		fail(text, "not a number in its bounds");
	return number;
}

/* ---- a broker */

static void
on_result(const struct ssemux_pub_result *result, void *context)
{
	(void)context;
	if (result->outcome != SSEMUX_PUB_ACKED)
		fail("an event", result->text);
}

static struct ssemux_pub *
open_publisher(const char *socket)
{
	struct ssemux_pub_options options = {
	    .size = sizeof(options),
	    .socket = socket,
	    .on_result = on_result,
	};
	struct ssemux_pub *pub = ssemux_pub_open(&options);

	if (pub == NULL || ssemux_pub_status(pub, 10000) == NULL)
		fail(socket, ssemux_pub_error(pub));
	return pub;
}

static void
wait_for_room(struct ssemux_pub *pub)
{
	struct pollfd polled = {
	    .fd = ssemux_pub_fd(pub),
	    .events = POLLIN,
	};

	if (ssemux_pub_wants_write(pub))
		polled.events |= POLLOUT;
	poll(&polled, 1, ssemux_pub_timeout(pub));
	if (ssemux_pub_dispatch(pub) == -1)
		fail("publishing", ssemux_pub_error(pub));
}

static void
publish_pipelined(
    const char *socket, const struct ssemux_pub_event *event, size_t events)
{
	struct ssemux_pub *pub = open_publisher(socket);
	double start = now_s();

	for (size_t i = 0; i < events; i++)
		while (ssemux_pub_publish(pub, event) == -1) {
			if (errno != EAGAIN)
				fail("publishing", ssemux_pub_error(pub));
			wait_for_room(pub);
		}
	if (ssemux_pub_flush(pub, 120000) != 0)
		fail("publishing", "not acknowledged");
	printf("%.6f\n", now_s() - start);
	ssemux_pub_close(pub);
}

/* ---- SQLite alone */

static void
must(sqlite3 *db, int status)
{
	if (status != SQLITE_OK && status != SQLITE_DONE)
		fail("SQLite", sqlite3_errmsg(db));
}

static sqlite3 *
open_store(const char *path)
{
	sqlite3 *db = NULL;

	must(db, sqlite3_open(path, &db));
	must(db, sqlite3_exec(db,
		     "PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY;"
		     "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
		     "PRAGMA journal_size_limit = 67108864;"
		     "PRAGMA cache_size = -32768; PRAGMA synchronous = NORMAL;"
		     "CREATE TABLE event ("
		     " cursor INTEGER PRIMARY KEY, channel INTEGER NOT NULL,"
		     " kind INTEGER NOT NULL, type TEXT, key TEXT,"
		     " data BLOB NOT NULL);"
		     "CREATE INDEX event_by_channel ON event (channel);",
		     NULL, NULL, NULL));
	return db;
}

struct rows {
	sqlite3 *db;
	sqlite3_stmt *begin;
	sqlite3_stmt *insert;
	sqlite3_stmt *commit;
	sqlite3_int64 cursor;
	int pages; /* of the log, not yet in the database */
};

static int
on_pages(void *context, sqlite3 *db, const char *name, int pages)
{
	struct rows *rows = context;

	(void)db;
	(void)name;
	rows->pages = pages;
	return SQLITE_OK;
}

static void
open_rows(struct rows *rows, const char *path)
{
	sqlite3 *db = open_store(path);

	*rows = (struct rows){.db = db, .cursor = 1763700000000 << 20};
	must(db, sqlite3_prepare_v2(db, "BEGIN", -1, &rows->begin, NULL));
	must(db, sqlite3_prepare_v2(db, "COMMIT", -1, &rows->commit, NULL));
	must(db, sqlite3_prepare_v2(db,
		     "INSERT INTO event VALUES (?, 1, 0, NULL, NULL, ?)", -1,
		     &rows->insert, NULL));
	sqlite3_wal_hook(db, on_pages, rows);
}

static void
step(struct rows *rows, sqlite3_stmt *statement)
{
	must(rows->db, sqlite3_step(statement));
	must(rows->db, sqlite3_reset(statement));
}

static void
insert(struct rows *rows, const struct ssemux_pub_event *event, size_t count)
{
	step(rows, rows->begin);
	for (size_t i = 0; i < count; i++) {
		must(rows->db,
		    sqlite3_bind_int64(rows->insert, 1, ++rows->cursor));
		must(rows->db, sqlite3_bind_blob(rows->insert, 2, event->data,
				   (int)event->data_bytes, SQLITE_STATIC));
		step(rows, rows->insert);
	}
	step(rows, rows->commit);
	if (rows->pages >= CHECKPOINT_PAGES)
		must(rows->db, sqlite3_wal_checkpoint_v2(rows->db, NULL,
				   SQLITE_CHECKPOINT_PASSIVE, NULL, NULL));
}

static void
insert_rows(
    const char *path, const struct ssemux_pub_event *event, size_t events)
{
	struct rows rows;
	double start, cpu;

	open_rows(&rows, path);
	start = now_s();
	cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t done = 0; done < events;) {
		size_t left = events - done;
		size_t part = left < TRANSACTION ? left : TRANSACTION;

		insert(&rows, event, part);
		done += part;
	}
	printf("%.6f %.6f\n", now_s() - start,
	    clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

/* ---- round trips */

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print_times(double *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	printf("%.2f %.2f\n", times[count / 2] * 1e6,
	    times[count * 99 / 100] * 1e6);
}

static double *
room_for_times(size_t count)
{
	double *times = calloc(count, sizeof(*times));

	if (times == NULL)
		fail("times", "no memory");
	return times;
}

static void
publish_blocking(
    const char *socket, const struct ssemux_pub_event *event, size_t events)
{
	struct ssemux_pub *pub = open_publisher(socket);
	double *times = room_for_times(events);

	for (size_t i = 0; i < events; i++) {
		double start = now_s();

		if (ssemux_pub_send(pub, event, 30000, NULL) == -1)
			fail("publishing", ssemux_pub_error(pub));
		times[i] = now_s() - start;
	}
	print_times(times, events);
	free(times);
	ssemux_pub_close(pub);
}

static __attribute__((noreturn)) void
answer(int fd, const char *path, const struct ssemux_pub_event *event)
{
	static char bytes[BYTES_MAX];
	struct rows rows;

	open_rows(&rows, path);
	while (recv(fd, bytes, event->data_bytes, MSG_WAITALL) ==
	       (ssize_t)event->data_bytes) {
		insert(&rows, event, 1);
		if (send(fd, bytes, ANSWER_BYTES, MSG_NOSIGNAL) != ANSWER_BYTES)
			break;
	}
	_exit(0);
}

static void
echo(const char *path, const struct ssemux_pub_event *event, size_t events)
{
	char bytes[ANSWER_BYTES];
	double *times = room_for_times(events);
	int pair[2];
	pid_t child;

	if (event->data_bytes < ANSWER_BYTES ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		fail("echo", strerror(errno));
	child = fork();
	if (child == -1)
		fail("fork", strerror(errno));
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		answer(pair[1], path, event);
	}
	close(pair[1]);
	for (size_t i = 0; i < events; i++) {
		double start = now_s();

		if (send(pair[0], event->data, event->data_bytes,
			MSG_NOSIGNAL) != (ssize_t)event->data_bytes ||
		    recv(pair[0], bytes, sizeof(bytes), MSG_WAITALL) !=
			(ssize_t)sizeof(bytes))
			fail("echo", "no answer");
		times[i] = now_s() - start;
	}
	print_times(times, events);
	free(times);
}

int
main(int argc, char **argv)
{
	static char data[BYTES_MAX];
	struct ssemux_pub_event event = {
	    .size = sizeof(event),
	    .channel = "toll",
	    .data = data,
	    .data_is = SSEMUX_PUB_TEXT,
	};
	size_t events;

	if (argc != 5) {
		fprintf(stderr, "usage: see tests/bench/toll.c\n");
		return 64;
	}
	events = number_of(argv[3], EVENTS_MAX);
	event.data_bytes = number_of(argv[4], BYTES_MAX);
	memset(data, 'x', event.data_bytes);
	if (strcmp(argv[1], "pipelined") == 0)
		publish_pipelined(argv[2], &event, events);
	else if (strcmp(argv[1], "rows") == 0)
		insert_rows(argv[2], &event, events);
	else if (strcmp(argv[1], "blocking") == 0)
		publish_blocking(argv[2], &event, events);
	else if (strcmp(argv[1], "echo") == 0)
		echo(argv[2], &event, events);
	else
		fail(argv[1], "not known");
	return 0;
}
