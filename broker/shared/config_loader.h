/*
 * config_loader: what is being read, and where; and how a fault is told. Only
 * config*.c look here.
 */
#ifndef SSEMUX_SHARED_CONFIG_LOADER_H
#define SSEMUX_SHARED_CONFIG_LOADER_H

#include "broker/shared/config_value.h"

enum {
	CONFIG_SHOWN_MAX = 80, /* bytes of a name or value in an error */
};

/* Instead of a line: it was given by -o. */
#define CONFIG_LINE_OVERRIDE UINT_MAX

struct config_block_kind;

struct config_loader {
	struct config *config;
	const char *path;
	unsigned line;                        /* 0: none in particular */
	const char *override;                 /* NULL while the file is read */
	struct slice section;                 /* len 0: none yet */
	struct slice key;                     /* len 0: none in particular */
	const struct config_block_kind *kind; /* NULL: not in a block */
	struct config_block *block;
	unsigned lines[CONFIG_SETTING_COUNT]; /* where each was given, or 0 */
	char *error;
};

/* Writes the error, behind the place; control characters become '?'. -1. */
__attribute__((format(printf, 2, 3))) int config_fail(
    struct config_loader *loader, const char *format, ...);

/* How many bytes of the text an error shows. */
int config_shown(struct slice text);

/* Completes what no line alone can tell: presets that depend on others, the
 * shapes, and who may have which path. 0; or -1, and the error is written. */
int config_settle(struct config_loader *loader);

#endif
