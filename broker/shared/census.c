/*
 * census: counts by address and by user, over all workers. See census.h.
 *
 * A region's entries are handed out from the first on, and again from the list
 * of those given back, so only as much memory is touched as was once needed at
 * a time. References to entries are their numbers plus one; 0 is none.
 */
#include "broker/shared/census.h"

#include <assert.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/* Of a reader that finds a region being changed. A writer that was stopped in
 * the midst of it must not stop others. */
enum { TRIES_MAX = 100 };

struct census_entry {
	_Atomic uint64_t key; /* 0: given back */
	_Atomic uint32_t count;
	_Atomic uint32_t next; /* in its bucket, or of those given back */
};

struct census_region {
	_Atomic uint64_t version; /* odd: it is being changed */
	_Atomic uint32_t used;    /* entries that were ever handed out */
	_Atomic uint32_t free;    /* the first that was given back */
	_Atomic uint32_t links[]; /* buckets; the entries follow */
};

#define LOAD(field) atomic_load_explicit(&(field), memory_order_relaxed)
#define STORE(field, value) \
	atomic_store_explicit(&(field), value, memory_order_relaxed)

/* --- where things are --- */

static struct census_region *
region_at(const struct census *census, size_t index)
{
	char *first = (char *)(uintptr_t)census->regions;

	return (struct census_region *)(void *)(first +
						index * census->region_bytes);
}

static _Atomic uint32_t *
bucket_of(
    const struct census *census, struct census_region *region, uint64_t key)
{
	return &region->links[(key >> 2) & (census->buckets - 1)];
}

/* The entry with this reference; NULL for one that cannot be, as a reader may
 * see while entries change. */
static struct census_entry *
entry_at(const struct census *census, struct census_region *region,
    uint32_t reference)
{
	char *end = (char *)region + sizeof(*region) +
		    census->buckets * sizeof(region->links[0]);
	struct census_entry *entries = (struct census_entry *)(void *)end;

	if (reference == 0 || reference > census->entries)
		return NULL;
	return &entries[reference - 1];
}

/* --- making it --- */

static void
lay_out(struct census *census, size_t workers, size_t keys)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes;

	census->region_count = workers;
	census->entries = (uint32_t)keys;
	census->buckets = 64;
	while (census->buckets < keys)
		census->buckets *= 2;
	bytes = sizeof(struct census_region) +
		census->buckets * sizeof(uint32_t) +
		census->entries * sizeof(struct census_entry);
	census->region_bytes = (bytes + page - 1) / page * page;
}

int
census_create(struct census *census, size_t workers, size_t keys, int *fd)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;
	void *memory;
	size_t size;

	assert(keys > 0 && keys < UINT32_MAX / 4);
	lay_out(census, workers, keys);
	size = workers * census->region_bytes;
	if (getrandom(census->key, sizeof(census->key), 0) !=
	    sizeof(census->key))
		return -1;
	*fd = memfd_create("ssemux-census", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd == -1)
		return -1;
	if (ftruncate(*fd, (off_t)size) == -1)
		goto fail;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (memory == MAP_FAILED || fcntl(*fd, F_ADD_SEALS, seals) == -1)
		goto fail;
	census->regions = memory;
	census->own = NULL;
	return 0;
fail:
	close(*fd);
	return -1;
}

int
census_confine(struct census *census, int fd, size_t worker)
{
	size_t bytes = census->region_bytes;
	size_t size = census->region_count * bytes;
	char *writable = (char *)(uintptr_t)census->regions;
	void *readable = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	size_t before = worker == CENSUS_NO_REGION ? size : worker * bytes;

	if (readable == MAP_FAILED)
		return -1;
	census->own =
	    worker == CENSUS_NO_REGION ? NULL : region_at(census, worker);
	/* Every other region goes; the own one stays writable where it is. */
	if ((before > 0 && munmap(writable, before) == -1) ||
	    (before + bytes < size &&
		munmap(writable + before + bytes, size - before - bytes) == -1))
		return -1;
	census->regions = readable;
	return 0;
}

/* --- writing --- */

/* From here to end_change() readers look again. */
static void
begin_change(struct census_region *region)
{
	STORE(region->version, LOAD(region->version) + 1);
	atomic_thread_fence(memory_order_release);
}

static void
end_change(struct census_region *region)
{
	atomic_store_explicit(
	    &region->version, LOAD(region->version) + 1, memory_order_release);
}

void
census_owner_ended(struct census *census, size_t worker)
{
	struct census_region *region = region_at(census, worker);
	uint32_t used = LOAD(region->used);

	/* Its death may have come in the midst of a change. */
	STORE(region->version, LOAD(region->version) | 1);
	atomic_thread_fence(memory_order_release);
	for (uint32_t i = 1; i <= used && i <= census->entries; i++) {
		struct census_entry *entry = entry_at(census, region, i);

		STORE(*bucket_of(census, region, LOAD(entry->key)), 0);
		STORE(entry->key, 0);
		STORE(entry->count, 0);
	}
	STORE(region->used, 0);
	STORE(region->free, 0);
	end_change(region);
}

_Static_assert(CENSUS_KINDS == 2, "what it is, is one bit of a key");

uint64_t
census_key(
    const struct census *census, enum census_kind kind, struct slice name)
{
	uint64_t hash = siphash(census->key, name);

	/* The lowest bit says what it is; the second keeps it from being 0. */
	return (hash & ~(uint64_t)1) | 2 | (uint64_t)kind;
}

/* The own entry of this key; NULL when there is none. */
static struct census_entry *
find_own(const struct census *census, uint64_t key)
{
	struct census_region *region = census->own;
	struct census_entry *entry =
	    entry_at(census, region, LOAD(*bucket_of(census, region, key)));

	while (entry != NULL && LOAD(entry->key) != key)
		entry = entry_at(census, region, LOAD(entry->next));
	return entry;
}

/* A reference to an entry that is free; 0 when all are in use. */
static uint32_t
take_entry(const struct census *census)
{
	struct census_region *region = census->own;
	uint32_t reference = LOAD(region->free);
	uint32_t used = LOAD(region->used);

	if (reference != 0) {
		STORE(region->free,
		    LOAD(entry_at(census, region, reference)->next));
		return reference;
	}
	if (used == census->entries)
		return 0;
	STORE(region->used, used + 1);
	return used + 1;
}

bool
census_enter(struct census *census, uint64_t key)
{
	struct census_region *region = census->own;
	struct census_entry *entry = find_own(census, key);
	_Atomic uint32_t *bucket = bucket_of(census, region, key);
	uint32_t reference;

	if (entry != NULL) {
		atomic_store(&entry->count, LOAD(entry->count) + 1);
		return true;
	}
	begin_change(region);
	reference = take_entry(census);
	entry = entry_at(census, region, reference);
	if (entry != NULL) {
		STORE(entry->key, key);
		STORE(entry->count, 1);
		STORE(entry->next, LOAD(*bucket));
		/* What is in a bucket has its key, also after a sudden end. */
		atomic_store_explicit(bucket, reference, memory_order_release);
	}
	end_change(region);
	/* Whoever counts after this one has entered sees it. */
	atomic_thread_fence(memory_order_seq_cst);
	return entry != NULL;
}

static void
give_back(struct census *census, uint64_t key)
{
	struct census_region *region = census->own;
	_Atomic uint32_t *link = bucket_of(census, region, key);
	uint32_t reference = LOAD(*link);
	struct census_entry *entry = entry_at(census, region, reference);

	while (LOAD(entry->key) != key) {
		link = &entry->next;
		reference = LOAD(*link);
		entry = entry_at(census, region, reference);
	}
	begin_change(region);
	STORE(*link, LOAD(entry->next));
	STORE(entry->key, 0);
	STORE(entry->count, 0);
	STORE(entry->next, LOAD(region->free));
	STORE(region->free, reference);
	end_change(region);
}

void
census_leave(struct census *census, uint64_t key)
{
	struct census_entry *entry = find_own(census, key);

	assert(entry != NULL);
	if (LOAD(entry->count) > 1)
		atomic_store(&entry->count, LOAD(entry->count) - 1);
	else
		give_back(census, key);
}

/* --- reading --- */

/* The count in one region, as it looks now. */
static uint64_t
look_up(const struct census *census, struct census_region *region, uint64_t key)
{
	struct census_entry *entry =
	    entry_at(census, region, LOAD(*bucket_of(census, region, key)));
	uint32_t steps = 0;

	/* While entries change a walk may lead anywhere, but not for ever. */
	while (entry != NULL && steps++ < census->entries) {
		if (LOAD(entry->key) == key)
			return LOAD(entry->count);
		entry = entry_at(census, region, LOAD(entry->next));
	}
	return 0;
}

static uint64_t
count_in(const struct census *census, size_t index, uint64_t key)
{
	struct census_region *region = region_at(census, index);
	uint64_t count = 0;

	for (int i = 0; i < TRIES_MAX; i++) {
		uint64_t version = atomic_load_explicit(
		    &region->version, memory_order_acquire);

		count = look_up(census, region, key);
		atomic_thread_fence(memory_order_acquire);
		if (version % 2 == 0 && LOAD(region->version) == version)
			break;
	}
	return count;
}

uint64_t
census_count(const struct census *census, uint64_t key)
{
	uint64_t sum = 0;

	atomic_thread_fence(memory_order_seq_cst);
	for (size_t i = 0; i < census->region_count; i++)
		sum += count_in(census, i, key);
	return sum;
}
