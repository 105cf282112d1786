/* key_file: reading a file of keys. See key_file.h. */
#include "broker/supervisor/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

bool
key_file_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

void
key_file_forget(char *bytes, size_t len)
{
	if (bytes != NULL)
		explicit_bzero(bytes, len);
	free(bytes);
}

/* Reads up to the size; the number of bytes, or -1. */
static ssize_t
read_whole(int fd, char *bytes, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(fd, bytes + len, size - len);

		if (got == 0)
			break;
		if (got > 0)
			len += (size_t)got;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)len;
}

/* The bytes of an open file, which has *status. */
static char *
read_open(int fd, size_t *len, struct stat *status, const char **why)
{
	struct stat before;
	char *bytes = NULL;
	ssize_t got = -1;

	if (fstat(fd, &before) == 0 && !S_ISREG(before.st_mode))
		*why = "it is no file";
	else if (before.st_size > KEY_FILE_MAX)
		*why = "it is larger than 131072 bytes";
	else if ((bytes = malloc(KEY_FILE_MAX)) != NULL &&
		 (got = read_whole(fd, bytes, KEY_FILE_MAX)) >= 0 &&
		 fstat(fd, status) == 0) {
		*len = (size_t)got;
		*why = NULL;
		if (key_file_same(&before, status) && got == status->st_size)
			return bytes;
	}
	key_file_forget(bytes, KEY_FILE_MAX);
	return NULL;
}

char *
key_file_read(const struct key_file *file, size_t *len, struct stat *status,
    const char **why)
{
	/* A pipe in its place must not stop the supervisor. */
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *bytes;

	if (fd == -1) {
		*why = strerrordesc_np(errno);
		return NULL;
	}
	*why = "it cannot be read";
	bytes = read_open(fd, len, status, why);
	close(fd);
	return bytes;
}
