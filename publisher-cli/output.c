/* output: standard output and standard error of ssemux-pub. See output.h. */
#include "publisher-cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void
output_keep_places(void)
{
	/* The wrong way round. A free descriptor is the lowest there is. */
	static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
			(void)open("/dev/null", modes[fd]);
	}
}

static void
print_receipt(const struct ssemux_pub_result *result)
{
	if (result->matched < 0) {
		printf("%s -\n", result->cursor); /* nobody knows */
		return;
	}
	printf("%s matched=%" PRId64 " written=%" PRId64 " lagging=%" PRId64
	       " filtered=%" PRId64 " late=%" PRId64 "\n",
	    result->cursor, result->matched, result->notified, result->lagging,
	    result->filtered, result->late);
}

void
output_print(
    const struct options *options, const struct ssemux_pub_result *result)
{
	if (options_receipts(options) == 0) {
		if (options->print_cursors)
			puts(result->cursor);
		return;
	}
	if (result->outcome != SSEMUX_PUB_RECEIPT)
		return;
	if (options->print_receipts) {
		print_receipt(result);
		return;
	}
	if (options->print_cursors)
		printf("%s ", result->cursor);
	if (result->notified >= 0)
		printf("%" PRId64 "\n", result->notified);
	else
		puts("-"); /* nobody knows */
}

int
output_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	clearerr(stdout);
	return -1;
}

void
output_complain(
    struct progress *progress, uint64_t line, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	va_end(args);
	for (char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7F)
			*at = '?';
	}
	progress_wipe(progress);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	if (line > 0)
		fprintf(stderr, "line %" PRIu64 ": ", line);
	fprintf(stderr, "%s\n", text);
}
