/*
 * store_reserve: a piece of the disk that is given up when the disk is full.
 * See store_write.h.
 *
 * What is in the write-ahead log cannot be moved then, for the database file
 * cannot grow; so the log cannot begin anew, and nothing can be let go, for
 * that is a transaction, too. The space of the reserve is for these. While it
 * is gone, events are taken only as long as the database has as much room
 * within itself, pages that retention has freed: these make no file longer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "broker/hub/store_writer.h"
#include "broker/shared/log.h"
#include "broker/shared/store.h"

enum { PAGE_BYTES = 4096 };

enum { LOG_PAGES_WHEN_FULL = 1024 };
#define LOG_BYTES_WHEN_FULL "4194304"

/* Is as much free as the reserve is to have? Or else a try would leave nothing
 * to others for a moment. */
static bool
is_free(const struct store_reserve *reserve)
{
	struct statvfs disk;
	struct stat file;

	return fstatvfs(reserve->fd, &disk) == -1 ||
	       fstat(reserve->fd, &file) == -1 ||
	       (uint64_t)disk.f_bavail * disk.f_frsize +
		       (uint64_t)file.st_blocks * 512 >=
		   reserve->bytes;
}

static void
take(struct store_reserve *reserve)
{
	if (!is_free(reserve))
		return;
	if (posix_fallocate(reserve->fd, 0, (off_t)reserve->bytes) == 0)
		reserve->held = true;
	else if (ftruncate(reserve->fd, 0) == -1)
		log_warn("store: the reserve: %m");
}

int
store_reserve_open(
    struct store_writer *writer, const char *store_path, uint64_t bytes)
{
	struct store_reserve *reserve = &writer->reserve;
	char path[STORE_PATH_SIZE + sizeof("-reserve")];

	snprintf(path, sizeof(path), "%s-reserve", store_path);
	if (bytes == 0) {
		if (unlink(path) == -1 && errno != ENOENT)
			log_warn("store: %s: %m", path);
		return 0;
	}
	reserve->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (reserve->fd == -1) {
		log_warn("store: %s: %m", path);
		return -1;
	}
	reserve->bytes = bytes;
	take(reserve);
	if (!reserve->held)
		log_warn("store: the disk has no room for the reserve");
	return 0;
}

void
store_reserve_close(struct store_reserve *reserve)
{
	if (reserve->bytes > 0)
		close(reserve->fd);
	reserve->bytes = 0;
}

void
store_reserve_give_up(struct store_reserve *reserve)
{
	if (!reserve->held)
		return;
	reserve->held = false;
	log_warn("store: the disk is full: events are refused until there is "
		 "room");
	if (ftruncate(reserve->fd, 0) == -1)
		log_warn("store: the reserve: %m");
}

bool
store_is_full(const struct store_writer *writer)
{
	return writer->reserve.bytes > 0 && !writer->reserve.held;
}

bool
store_has_room(struct store_writer *writer)
{
	sqlite3_stmt *free_pages = writer->statements[FREE_PAGES];
	uint64_t pages;

	if (!store_is_full(writer))
		return true;
	pages = sqlite3_step(free_pages) == SQLITE_ROW
		    ? store_number(free_pages, 0)
		    : 0;
	sqlite3_reset(free_pages);
	return pages * PAGE_BYTES >= writer->reserve.bytes;
}

/* The log's file keeps the length that it once had; now, the first transaction
 * of the new log cuts it to what retention needs. That must change something:
 * it is a step of retention which lets go of nothing. */
static void
shorten_log(struct store_writer *writer)
{
	if (writer->wal_pages <= LOG_PAGES_WHEN_FULL)
		return;
	writer->totals = writer->committed;
	writer->totals.losses++;
	if (sqlite3_exec(writer->db,
		"PRAGMA journal_size_limit = " LOG_BYTES_WHEN_FULL, NULL, NULL,
		NULL) == SQLITE_OK &&
	    store_do(writer, WRITE_BEGIN) == 0 &&
	    store_write_totals(writer) == 0 &&
	    store_do(writer, WRITE_COMMIT) == 0) {
		writer->committed = writer->totals;
	} else {
		store_failed(writer, "shorten the log");
		store_rollback(writer);
	}
	sqlite3_exec(writer->db,
	    "PRAGMA journal_size_limit = " STORE_LOG_BYTES_KEPT, NULL, NULL,
	    NULL);
}

void
store_reserve_tend(struct store_writer *writer)
{
	if (!store_is_full(writer))
		return;
	/* Whatever becomes of it: the log's own space can be used again. */
	store_empty_log(writer);
	shorten_log(writer);
	take(&writer->reserve);
	if (writer->reserve.held)
		log_info("store: there is room on the disk again");
}
