/*
 * vault: bytes of key files in shared memory. The supervisor, who may read the
 * files, puts them in; workers, who may open none, take copies out.
 *
 *	| version | length | number of items | item | item | ... |
 *
 * The version is odd while the supervisor writes; who copies looks at it before
 * and after. The bytes are neither looked at nor trusted here: what a copy
 * holds is found inside its bounds, whatever it says of itself.
 */
#ifndef SSEMUX_SHARED_VAULT_H
#define SSEMUX_SHARED_VAULT_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"

enum {
	VAULT_ITEMS_MAX = 17,
	VAULT_BYTES_MAX = 4 << 20, /* of all items */
};

struct vault {
	struct vault_memory *memory; /* mapped; NULL: not */
};

struct vault_item {
	uint32_t kind; /* means something to who reads it */
	struct slice bytes;
};

/* A copy of all items. */
struct vault_copy {
	struct vault_item items[VAULT_ITEMS_MAX];
	size_t count;
	uint64_t version;
	char *bytes;
	size_t size;
};

/* Makes an empty one, mapped for writing in this process alone: children do
 * not inherit the memory but the descriptor *fd, from which it can be mapped
 * for reading only. 0, or -1 with errno. */
int vault_create(struct vault *vault, int *fd);

/* Maps it for reading. 0, or -1 with errno. */
int vault_map_reader(struct vault *vault, int fd);

void vault_unmap(struct vault *vault);

/* Replaces all items. 0, or -1 with errno: E2BIG when they do not fit, and the
 * old ones stay. */
int vault_write(
    struct vault *vault, const struct vault_item *items, size_t count);

/* Changes with every vault_write(); 0 before the first. */
uint64_t vault_version(const struct vault *vault);

/* Copies the items; the copy is to be finished. 0; or -1 with errno: EAGAIN
 * when they are just being replaced. */
int vault_read(const struct vault *vault, struct vault_copy *copy);

/* Wipes and frees the copy; also twice. */
void vault_copy_finish(struct vault_copy *copy);

#endif
