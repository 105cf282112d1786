/*
 * config_block: sections of which there may be several, each with a name of
 * its own. Only config*.c look here.
 *
 * A new kind of block is a .def file with its keys, a struct that begins with
 * a struct config_block, a list of these in struct config, and one row of
 * config_block_kinds.
 */
#ifndef SSEMUX_SHARED_CONFIG_BLOCK_H
#define SSEMUX_SHARED_CONFIG_BLOCK_H

#include "broker/shared/config_loader.h"

struct config_block_kind {
	const char *word; /* that its sections begin with */
	const char *form; /* of the whole section, for people */
	const struct config_setting *settings;
	size_t setting_count;
	size_t size;         /* of its struct */
	size_t list_offset;  /* of the list's pointer in struct config */
	size_t count_offset; /* of the list's length */
	size_t max;          /* blocks of this kind at most */
	/* Fills in what the name says. 0; or -1, and what was expected. */
	int (*read_name)(void *block, struct slice name,
	    char expected[CONFIG_EXPECTED_SIZE]);
	/* Do both have the same name? */
	bool (*same)(const void *a, const void *b);
};

enum {
	CONFIG_BLOCK_STREAM,
	CONFIG_BLOCK_PUBLISHER,
	CONFIG_BLOCK_CHANNEL,
	CONFIG_BLOCK_KIND_COUNT
};

extern const struct config_block_kind
    config_block_kinds[CONFIG_BLOCK_KIND_COUNT];

/* The kind of block that the section is; *name gets what stands behind the
 * kind's word. NULL: none. */
const struct config_block_kind *config_block_kind_of(
    struct slice section, struct slice *name);

size_t config_block_count(
    const struct config *config, const struct config_block_kind *kind);
void *config_block_at(const struct config *config,
    const struct config_block_kind *kind, size_t index);

/*
 * Lets loader->block be the one with this name, which is made when there is
 * none. In the file, a name that was there before is an error. 0; or -1, and
 * the error is written.
 */
int config_block_enter(struct config_loader *loader,
    const struct config_block_kind *kind, struct slice name);

/* Writes the error, behind the line that gave this key of the block, or the
 * block's first. -1. */
__attribute__((format(printf, 5, 6))) int config_block_fail(
    struct config_loader *loader, const struct config_block_kind *kind,
    const struct config_block *block, size_t index, const char *format, ...);

/* Frees all blocks. */
void config_block_finish_all(struct config *config);

#endif
