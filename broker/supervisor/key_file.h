/* key_file: one file of keys, and whether it has changed. */
#ifndef SSEMUX_SUPERVISOR_KEY_FILE_H
#define SSEMUX_SUPERVISOR_KEY_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "protocol/slice.h"

enum { KEY_FILE_MAX = 128 * 1024 /* bytes */ };

struct key_file {
	const char *setting; /* that names it */
	const char *path;
	unsigned kind;
	struct stat seen;  /* at the last look */
	struct stat taken; /* when its bytes were last taken */
	const char *said;  /* why it cannot be read, as was said; or NULL */
};

/* Its bytes, to be given to key_file_forget(), and *status of that moment.
 * NULL: it cannot be read (said in *why), or is just being written (*why is
 * NULL). */
char *key_file_read(const struct key_file *file, size_t *len,
    struct stat *status, const char **why);

/* Wipes and frees; NULL is allowed. */
void key_file_forget(char *bytes, size_t len);

/* Do both say that nothing was written in between? */
bool key_file_same(const struct stat *a, const struct stat *b);

#endif
