/* ranking: who has the most. See ranking.h. */
#include "broker/worker/answers/ranking.h"

#include <stdlib.h>
#include <uthash.h>

struct ranking_entry {
	UT_hash_handle hh;
	uint64_t count;
	size_t len;
	char name[]; /* not terminated */
};

void
ranking_finish(struct ranking *ranking)
{
	struct ranking_entry *entry = NULL, *next = NULL;

	HASH_ITER (hh, ranking->entries, entry, next) {
		HASH_DEL(ranking->entries, entry);
		free(entry);
	}
}

int
ranking_add(struct ranking *ranking, struct slice name, uint64_t count)
{
	struct ranking_entry *entry;

	HASH_FIND(hh, ranking->entries, name.bytes, name.len, entry);
	if (entry == NULL) {
		entry = calloc(1, sizeof(*entry) + name.len);
		if (entry == NULL)
			return -1;
		entry->len = name.len;
		if (name.len > 0)
			memcpy(entry->name, name.bytes, name.len);
		HASH_ADD(hh, ranking->entries, name, name.len, entry);
	}
	entry->count += count;
	return 0;
}

size_t
ranking_size(const struct ranking *ranking)
{
	return HASH_COUNT(ranking->entries);
}

static int
compare(const struct ranking_entry *a, const struct ranking_entry *b)
{
	size_t shorter = a->len < b->len ? a->len : b->len;
	int by_name;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	by_name = memcmp(a->name, b->name, shorter);
	if (by_name != 0)
		return by_name;
	return a->len < b->len ? -1 : a->len > b->len;
}

void
ranking_top(struct ranking *ranking, size_t most,
    void (*take)(struct slice name, uint64_t count, void *context),
    void *context)
{
	HASH_SORT(ranking->entries, compare);
	for (struct ranking_entry *entry = ranking->entries;
	     entry != NULL && most > 0; entry = entry->hh.next, most--)
		take(slice_of(entry->name, entry->len), entry->count, context);
}
