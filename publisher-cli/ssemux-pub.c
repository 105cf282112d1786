/*
 * ssemux-pub: publish events from a shell; see ssemux-pub(1).
 *
 *	options	the command line
 *	feed	input -> publisher -> output
 *	source lines json_line	the kinds of input
 *	progress	a bar on the terminal
 */
#include <signal.h>
#include <sysexits.h>

#include "publisher-cli/feed.h"
#include "publisher-cli/options.h"
#include "publisher-cli/output.h"

/* Ends as if the signal had never been caught: that is what a shell and a
 * parent want to see. */
static int
end_by_signal(int number)
{
	sigset_t one;

	signal(number, SIG_DFL);
	raise(number);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	return EX_SOFTWARE; /* not reached */
}

int
main(int argc, char *argv[])
{
	struct options options;
	int code;

	output_keep_places();
	code = options_read(&options, argc, argv);
	if (code >= 0)
		return code;
	code = feed_run(&options);
	return code < 0 ? end_by_signal(-code) : code;
}
