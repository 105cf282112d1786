/* progress: a bar on the terminal. See progress.h. */
#include "publisher-cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DRAW_EVERY_MS = 100, BAR_WIDTH = 30 };

/* Bytes from here to the end of a regular file; 0 for anything else. */
static uint64_t
bytes_ahead(int fd)
{
	struct stat status;
	off_t at;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return 0;
	at = lseek(fd, 0, SEEK_CUR);
	return at >= 0 && at < status.st_size ? (uint64_t)(status.st_size - at)
					      : 0;
}

void
progress_init(struct progress *progress, int input_fd,
    enum progress_output output, int64_t now_ms)
{
	*progress = (struct progress){.started_ms = now_ms};
	progress->shown = isatty(STDERR_FILENO) && !isatty(input_fd) &&
			  (output == PROGRESS_ALONE || !isatty(STDOUT_FILENO));
	if (progress->shown)
		progress->input_size = bytes_ahead(input_fd);
}

static void
draw_bar(const struct progress *progress, uint64_t bytes)
{
	char bar[BAR_WIDTH + 1];
	uint64_t size = progress->input_size;
	size_t full;

	if (size == 0)
		return;
	if (bytes > size)
		bytes = size;
	full = (size_t)((double)bytes / (double)size * BAR_WIDTH);
	memset(bar, ' ', BAR_WIDTH);
	memset(bar, '#', full);
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "[%s] %3d%%  ", bar,
	    (int)((double)bytes / (double)size * 100));
}

static void
draw(struct progress *progress, uint64_t bytes, uint64_t events, int64_t now_ms)
{
	int64_t passed_ms = now_ms - progress->started_ms;

	fputs("\r\033[K", stderr);
	draw_bar(progress, bytes);
	fprintf(stderr, "%" PRIu64 " events", events);
	if (passed_ms > 0)
		fprintf(stderr, "  %" PRIu64 "/s",
		    events * 1000 / (uint64_t)passed_ms);
	fflush(stderr);
	progress->drawn = true;
	progress->drawn_ms = now_ms;
}

void
progress_draw(
    struct progress *progress, uint64_t bytes, uint64_t events, int64_t now_ms)
{
	if (progress->shown && now_ms - progress->drawn_ms >= DRAW_EVERY_MS)
		draw(progress, bytes, events, now_ms);
}

void
progress_finish(
    struct progress *progress, uint64_t bytes, uint64_t events, int64_t now_ms)
{
	if (!progress->shown)
		return;
	draw(progress, bytes, events, now_ms);
	fputc('\n', stderr);
	progress->drawn = false;
}

void
progress_wipe(struct progress *progress)
{
	if (!progress->drawn)
		return;
	fputs("\r\033[K", stderr);
	progress->drawn = false;
}
