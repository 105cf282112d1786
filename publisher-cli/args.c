/* args: command lines. See args.h. */
#include "publisher-cli/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include <ssemux/pub.h>

enum { SECONDS_MAX = 86400 };

const char *
args_default_socket(void)
{
	const char *socket = getenv("SSEMUX_SOCKET");

	return socket != NULL && *socket != '\0' ? socket : SSEMUX_PUB_SOCKET;
}

int
args_parse_seconds(const char *text, int *ms)
{
	char *end;
	double seconds;

	if (*text < '0' || *text > '9') /* strtod takes more than numbers */
		return -1;
	seconds = strtod(text, &end);
	if (*end != '\0' || !(seconds >= 0 && seconds <= SECONDS_MAX))
		return -1;
	*ms = (int)(seconds * 1000);
	if (*ms == 0 && seconds > 0)
		*ms = 1;
	return 0;
}

int
args_complain(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry '%s --help'.\n", program_invocation_short_name);
	return EX_USAGE;
}

int
args_complain_of_option(int found, char *const argv[])
{
	if (found == ':')
		return args_complain("%s needs a value", argv[optind - 1]);
	if (optopt != 0 && optopt < 0x80)
		return args_complain("unknown option -%c", optopt);
	return args_complain("unknown option %s", argv[optind - 1]);
}
