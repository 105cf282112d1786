/* vault: key files in shared memory. See vault.h. */
#include "broker/shared/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct vault_memory {
	_Atomic uint64_t version; /* odd while it is written */
	_Atomic uint32_t size;    /* bytes of what follows */
	_Atomic uint32_t count;   /* items */
	char bytes[];             /* each item: a head, then its bytes */
};

/* In front of each item's bytes. */
struct vault_head {
	uint32_t kind;
	uint32_t size;
};

enum {
	HEADS_MAX = VAULT_ITEMS_MAX * (int)sizeof(struct vault_head),
	MEMORY_BYTES =
	    (int)sizeof(struct vault_memory) + VAULT_BYTES_MAX + HEADS_MAX,
};

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared between processes");

static int
map(struct vault *vault, int fd, int protection)
{
	void *memory = mmap(NULL, MEMORY_BYTES, protection, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -1;
	vault->memory = memory;
	/* Keys belong neither into a child that does not ask, nor to disk. */
	if (madvise(memory, MEMORY_BYTES, MADV_DONTFORK) == -1 ||
	    madvise(memory, MEMORY_BYTES, MADV_DONTDUMP) == -1) {
		vault_unmap(vault);
		return -1;
	}
	return 0;
}

int
vault_create(struct vault *vault, int *fd)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;

	vault->memory = NULL;
	*fd = memfd_create("ssemux-vault", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd == -1)
		return -1;
	if (ftruncate(*fd, MEMORY_BYTES) == -1 ||
	    map(vault, *fd, PROT_READ | PROT_WRITE) == -1 ||
	    fcntl(*fd, F_ADD_SEALS, seals) == -1) {
		int error = errno;

		vault_unmap(vault);
		close(*fd);
		errno = error;
		return -1;
	}
	return 0;
}

int
vault_map_reader(struct vault *vault, int fd)
{
	return map(vault, fd, PROT_READ);
}

void
vault_unmap(struct vault *vault)
{
	if (vault->memory != NULL)
		munmap(vault->memory, MEMORY_BYTES);
	vault->memory = NULL;
}

static size_t
size_of(const struct vault_item *items, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		if (items[i].bytes.len > VAULT_BYTES_MAX)
			return SIZE_MAX;
		size += sizeof(struct vault_head) + items[i].bytes.len;
	}
	return size;
}

int
vault_write(struct vault *vault, const struct vault_item *items, size_t count)
{
	struct vault_memory *memory = vault->memory;
	uint64_t version = atomic_load(&memory->version);
	size_t old = atomic_load(&memory->size);
	size_t size =
	    count <= VAULT_ITEMS_MAX ? size_of(items, count) : SIZE_MAX;
	char *at = memory->bytes;

	if (size > VAULT_BYTES_MAX) {
		errno = E2BIG;
		return -1;
	}
	atomic_store(&memory->version, version + 1);
	atomic_thread_fence(memory_order_seq_cst);
	for (size_t i = 0; i < count; i++) {
		const struct vault_head head = {
		    items[i].kind, (uint32_t)items[i].bytes.len};

		memcpy(at, &head, sizeof(head));
		at += sizeof(head);
		if (head.size > 0)
			memcpy(at, items[i].bytes.bytes, head.size);
		at += head.size;
	}
	if (old > size)
		explicit_bzero(at, old - size);
	atomic_store(&memory->size, (uint32_t)size);
	atomic_store(&memory->count, (uint32_t)count);
	atomic_store(&memory->version, version + 2);
	return 0;
}

uint64_t
vault_version(const struct vault *vault)
{
	return atomic_load(&vault->memory->version);
}

/* Finds the items in the copied bytes. 0, or -1: they do not fit. */
static int
find_items(struct vault_copy *copy)
{
	const char *at = copy->bytes;
	size_t left = copy->size;

	for (size_t i = 0; i < copy->count; i++) {
		struct vault_head head;

		if (left < sizeof(head))
			return -1;
		memcpy(&head, at, sizeof(head));
		at += sizeof(head);
		left -= sizeof(head);
		if (head.size > left)
			return -1;
		copy->items[i].kind = head.kind;
		copy->items[i].bytes = slice_of(at, head.size);
		at += head.size;
		left -= head.size;
	}
	return 0;
}

int
vault_read(const struct vault *vault, struct vault_copy *copy)
{
	struct vault_memory *memory = vault->memory;

	*copy = (struct vault_copy){.version = vault_version(vault)};
	copy->size = atomic_load(&memory->size);
	copy->count = atomic_load(&memory->count);
	errno = EAGAIN;
	if (copy->version % 2 != 0 || copy->size > VAULT_BYTES_MAX ||
	    copy->count > VAULT_ITEMS_MAX)
		return -1;
	copy->bytes = malloc(copy->size + 1);
	if (copy->bytes == NULL)
		return -1;
	memcpy(copy->bytes, memory->bytes, copy->size);
	atomic_thread_fence(memory_order_seq_cst);
	if (vault_version(vault) == copy->version && find_items(copy) == 0)
		return 0;
	vault_copy_finish(copy);
	errno = EAGAIN;
	return -1;
}

void
vault_copy_finish(struct vault_copy *copy)
{
	if (copy->bytes != NULL)
		explicit_bzero(copy->bytes, copy->size);
	free(copy->bytes);
	*copy = (struct vault_copy){.bytes = NULL};
}
