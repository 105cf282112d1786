/* store_gather: writes to the write-ahead log, gathered. See store_gather.h. */
#include "broker/hub/store_gather.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Below 128 KiB, which SQLite's own files take at once. */
	GATHER_BYTES = 98304,
	/* Of a page's head, see "WAL Frame Header" in SQLite's file format. */
	HEAD_BYTES = 24,
	HEAD_COMMIT_AT = 4, /* four bytes; all 0: the transaction goes on */
	NOWHERE = -1,
};

/* An open log; the file that SQLite would have is behind it in memory. */
struct gather {
	sqlite3_file base;
	char *bytes; /* GATHER_BYTES, held and not yet written: */
	int held;
	sqlite3_int64 end; /* where the next write goes on, if it does */
	bool ends;         /* the page after the last head ends a transaction */
};

static struct sqlite3_vfs gather_vfs;

static sqlite3_file *
real_file(sqlite3_file *file)
{
	return (sqlite3_file *)(void *)((struct gather *)(void *)file + 1);
}

static struct gather *
gather_of(sqlite3_file *file)
{
	return (struct gather *)(void *)file;
}

/* Writes what is held. What cannot be written is forgotten: the transaction
 * fails. */
static int
flush(sqlite3_file *file)
{
	struct gather *gather = gather_of(file);
	sqlite3_file *real = real_file(file);
	int held = gather->held;
	int result;

	if (held == 0)
		return SQLITE_OK;
	gather->held = 0;
	result = real->pMethods->xWrite(
	    real, gather->bytes, held, gather->end - held);
	if (result != SQLITE_OK)
		gather->end = NOWHERE;
	return result;
}

static bool
ends_transaction(const char head[HEAD_BYTES])
{
	static const char goes_on[4];

	return memcmp(head + HEAD_COMMIT_AT, goes_on, sizeof(goes_on)) != 0;
}

static int
write_now(
    sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
	sqlite3_file *real = real_file(file);
	int result = flush(file);

	if (result == SQLITE_OK)
		result = real->pMethods->xWrite(real, bytes, count, offset);
	gather_of(file)->end = result == SQLITE_OK ? offset + count : NOWHERE;
	return result;
}

static int
gather_write(
    sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
	struct gather *gather = gather_of(file);
	bool is_head = count == HEAD_BYTES;
	int result = SQLITE_OK;

	if (is_head)
		gather->ends = ends_transaction(bytes);
	/* Where it goes back, it may be for what was written before. */
	if (offset != gather->end || count > GATHER_BYTES)
		return write_now(file, bytes, count, offset);
	if (count > GATHER_BYTES - gather->held)
		result = flush(file);
	if (result != SQLITE_OK)
		return result;
	memcpy(gather->bytes + gather->held, bytes, (size_t)count);
	gather->held += count;
	gather->end += count;
	return gather->ends && !is_head ? flush(file) : SQLITE_OK;
}

static int
gather_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset)
{
	sqlite3_file *real = real_file(file);
	int result = flush(file);

	return result != SQLITE_OK
		   ? result
		   : real->pMethods->xRead(real, bytes, count, offset);
}

static int
gather_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	sqlite3_file *real = real_file(file);
	int result = flush(file);

	return result != SQLITE_OK ? result
				   : real->pMethods->xTruncate(real, size);
}

static int
gather_sync(sqlite3_file *file, int flags)
{
	sqlite3_file *real = real_file(file);
	int result = flush(file);

	return result != SQLITE_OK ? result
				   : real->pMethods->xSync(real, flags);
}

static int
gather_size(sqlite3_file *file, sqlite3_int64 *size)
{
	sqlite3_file *real = real_file(file);
	int result = flush(file);

	return result != SQLITE_OK ? result
				   : real->pMethods->xFileSize(real, size);
}

static int
gather_close(sqlite3_file *file)
{
	sqlite3_file *real = real_file(file);

	/* What is held is of no transaction that was committed. */
	free(gather_of(file)->bytes);
	return real->pMethods->xClose(real);
}

static int
gather_lock(sqlite3_file *file, int level)
{
	return real_file(file)->pMethods->xLock(real_file(file), level);
}

static int
gather_unlock(sqlite3_file *file, int level)
{
	return real_file(file)->pMethods->xUnlock(real_file(file), level);
}

static int
gather_check_lock(sqlite3_file *file, int *held)
{
	return real_file(file)->pMethods->xCheckReservedLock(
	    real_file(file), held);
}

static int
gather_control(sqlite3_file *file, int operation, void *argument)
{
	return real_file(file)->pMethods->xFileControl(
	    real_file(file), operation, argument);
}

static int
gather_sector_size(sqlite3_file *file)
{
	return real_file(file)->pMethods->xSectorSize(real_file(file));
}

static int
gather_device(sqlite3_file *file)
{
	return real_file(file)->pMethods->xDeviceCharacteristics(
	    real_file(file));
}

static const sqlite3_io_methods gather_methods = {
    .iVersion = 1,
    .xClose = gather_close,
    .xRead = gather_read,
    .xWrite = gather_write,
    .xTruncate = gather_truncate,
    .xSync = gather_sync,
    .xFileSize = gather_size,
    .xLock = gather_lock,
    .xUnlock = gather_unlock,
    .xCheckReservedLock = gather_check_lock,
    .xFileControl = gather_control,
    .xSectorSize = gather_sector_size,
    .xDeviceCharacteristics = gather_device,
};

/* Any other file is what it would be without. */
static int
gather_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
    int *out_flags)
{
	sqlite3_vfs *real = vfs->pAppData;
	struct gather *gather = gather_of(file);
	int result;

	if ((flags & SQLITE_OPEN_WAL) == 0)
		return real->xOpen(real, name, file, flags, out_flags);
	*gather =
	    (struct gather){.bytes = malloc(GATHER_BYTES), .end = NOWHERE};
	if (gather->bytes == NULL)
		return SQLITE_NOMEM;
	result = real->xOpen(real, name, real_file(file), flags, out_flags);
	if (result == SQLITE_OK)
		gather->base.pMethods = &gather_methods;
	else
		free(gather->bytes);
	return result;
}

const char *
store_gather(void)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);

	if (gather_vfs.zName != NULL)
		return gather_vfs.zName;
	if (real == NULL)
		return NULL;
	gather_vfs = *real;
	gather_vfs.pNext = NULL;
	gather_vfs.pAppData = real;
	gather_vfs.szOsFile += (int)sizeof(struct gather);
	gather_vfs.zName = "ssemux";
	gather_vfs.xOpen = gather_open;
	return sqlite3_vfs_register(&gather_vfs, 0) == SQLITE_OK
		   ? gather_vfs.zName
		   : NULL;
}
