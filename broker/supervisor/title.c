/*
 * title: writes over the memory of argv and environ, which the kernel shows as
 * /proc/PID/cmdline. See title.h.
 */
#include "broker/supervisor/title.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static char *title; /* where the arguments began; NULL: cannot be set */
static size_t title_size;

/* The end of the block that begins with argv[0], as far as it is in one piece.
 */
static char *
end_of_block(int argc, char **argv)
{
	char *end = argv[0];

	for (int i = 0; i < argc; i++) {
		if (argv[i] == end)
			end += strlen(end) + 1;
	}
	for (char **entry = environ; *entry != NULL; entry++) {
		if (*entry == end)
			end += strlen(end) + 1;
	}
	return end;
}

static int
move_environment(void)
{
	size_t count = 0;
	char **copy;

	while (environ[count] != NULL)
		count++;
	copy = calloc(count + 1, sizeof(copy[0]));
	if (copy == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		copy[i] = strdup(environ[i]);
		if (copy[i] == NULL)
			return -1;
	}
	environ = copy;
	return 0;
}

void
title_init(int argc, char **argv)
{
	char *end;

	if (argc < 1)
		return;
	end = end_of_block(argc, argv);
	if (move_environment() == -1)
		return;
	title = argv[0];
	title_size = (size_t)(end - argv[0]);
}

void
title_set(const char *role)
{
	if (title == NULL)
		return;
	memset(title, 0, title_size);
	snprintf(title, title_size, "ssemuxd: %s", role);
}
