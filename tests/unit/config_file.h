/*
 * config file: a configuration read from a file in a folder of its own.
 */
#ifndef TESTS_UNIT_CONFIG_FILE_H
#define TESTS_UNIT_CONFIG_FILE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/shared/config.h"
#include "protocol/slice.h"

static char folder[] = "/tmp/ssemux-config-XXXXXX";
static char path[64];
static char error[CONFIG_ERROR_SIZE];
static struct config config;

static inline void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/c", folder);
}

static inline void
tear_down(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

/* Reads these bytes as the file, then the overrides. 0, or -1 and `error`. */
static inline int
config_file_load(struct slice bytes, const char *const *overrides, size_t count)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes.bytes, 1, bytes.len, file), bytes.len);
	ck_assert_int_eq(fclose(file), 0);
	memset(error, 0, sizeof(error));
	return config_load(&config, path, overrides, count, error);
}

#endif
