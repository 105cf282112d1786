/* options: reading the command line of ssemux-pub. See options.h. */
#include "publisher-cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "publisher-cli/args.h"

static const char help[] =
    "Usage: ssemux-pub [OPTIONS] CHANNEL [DATA]\n"
    "       ssemux-pub [OPTIONS] -f FILE CHANNEL\n"
    "       ssemux-pub [OPTIONS] -l CHANNEL\n"
    "       ssemux-pub [OPTIONS] -j [CHANNEL]\n"
    "       ssemux-pub [OPTIONS] --resync CHANNEL\n"
    "Publishes events, and ends when the broker has stored them.\n"
    "\n"
    "What to publish: DATA as one event, or\n"
    "  -f, --file FILE        a file as one event; - is standard input\n"
    "  -l, --lines            each line of standard input is an event\n"
    "  -j, --json-lines       each line of standard input is an event of the\n"
    "                         form "
    "{\"channel\":,\"type\":,\"key\":,\"data\":}\n"
    "      --resync           no event: subscribers load the channel anew\n"
    "How:\n"
    "  -t, --type TYPE        type of the event\n"
    "  -k, --key KEY          id of the thing that changed\n"
    "      --json             the data are JSON\n"
    "      --text             the data are text, whatever they look like\n"
    "      --bytes            the data are bytes\n"
    "      --skip-bad         report lines that cannot be published, go on\n"
    "  -s, --socket PATH      the broker's socket\n"
    "      --timeout SECONDS  give up after so long without a sign of the\n"
    "                         broker; 0: never (10)\n"
    "What to print:\n"
    "  -i, --ids              the cursor of each event, once it is stored\n"
    "  -n, --notified         how many clients each event was handed to\n"
    "  -N, --receipts         the cursor of each event, and how many streams\n"
    "                         matched, got it, lag, or do not take it\n"
    "  -h, --help\n"
    "      --version\n";

enum {
	OPT_JSON = 0x100,
	OPT_TEXT,
	OPT_BYTES,
	OPT_RESYNC,
	OPT_SKIP_BAD,
	OPT_TIMEOUT,
	OPT_VERSION
};

static const struct option long_options[] = {
    {"bytes", no_argument, NULL, OPT_BYTES},
    {"file", required_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},
    {"ids", no_argument, NULL, 'i'},
    {"json", no_argument, NULL, OPT_JSON},
    {"json-lines", no_argument, NULL, 'j'},
    {"key", required_argument, NULL, 'k'},
    {"lines", no_argument, NULL, 'l'},
    {"notified", no_argument, NULL, 'n'},
    {"receipts", no_argument, NULL, 'N'},
    {"resync", no_argument, NULL, OPT_RESYNC},
    {"skip-bad", no_argument, NULL, OPT_SKIP_BAD},
    {"socket", required_argument, NULL, 's'},
    {"text", no_argument, NULL, OPT_TEXT},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"type", required_argument, NULL, 't'},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static int
set_input(struct options *options, enum options_input input)
{
	if (options->input != INPUT_ARGUMENT && options->input != input)
		return args_complain(
		    "only one of -f, -l, -j and --resync can be given");
	options->input = input;
	return -1;
}

static int
set_data_is(struct options *options, enum ssemux_pub_data data_is)
{
	if (options->data_is != SSEMUX_PUB_GUESS && options->data_is != data_is)
		return args_complain(
		    "only one of --json, --text and --bytes can be given");
	options->data_is = data_is;
	return -1;
}

static int
print_and_end(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EX_IOERR
							      : EX_OK;
}

/* Options that only set what is printed or tried; -1 or an exit code. */
static int
set_manner(struct options *options, int found, char *argv[])
{
	switch (found) {
	case 'i':
		options->print_cursors = true;
		return -1;
	case 'n':
		options->print_notified = true;
		return -1;
	case 'N':
		options->print_receipts = true;
		return -1;
	case OPT_SKIP_BAD:
		options->skip_bad = true;
		return -1;
	case OPT_TIMEOUT:
		if (args_parse_seconds(optarg, &options->timeout_ms) == 0)
			return -1;
		return args_complain(
		    "--timeout is a number of seconds, not '%s'", optarg);
	case 'h':
		return print_and_end(help);
	case OPT_VERSION:
		return print_and_end("ssemux-pub " SSEMUX_VERSION "\n");
	default:
		return args_complain_of_option(found, argv);
	}
}

/* -1 or an exit code. */
static int
set_option(struct options *options, int found, char *argv[])
{
	switch (found) {
	case 's':
		options->socket = optarg;
		return -1;
	case 't':
		options->type = optarg;
		return -1;
	case 'k':
		options->key = optarg;
		return -1;
	case 'f':
		options->file = optarg;
		return set_input(options, INPUT_FILE);
	case 'l':
		return set_input(options, INPUT_LINES);
	case 'j':
		return set_input(options, INPUT_JSON_LINES);
	case OPT_RESYNC:
		return set_input(options, INPUT_RESYNC);
	case OPT_JSON:
		return set_data_is(options, SSEMUX_PUB_JSON);
	case OPT_TEXT:
		return set_data_is(options, SSEMUX_PUB_TEXT);
	case OPT_BYTES:
		return set_data_is(options, SSEMUX_PUB_BYTES);
	default:
		return set_manner(options, found, argv);
	}
}

/* What does not go together. -1 or an exit code. */
static int
check_together(const struct options *options)
{
	enum options_input input = options->input;

	if (input == INPUT_JSON_LINES && options->data_is != SSEMUX_PUB_GUESS)
		return args_complain("with -j, the line says what the data "
				     "are: no --json, --text or --bytes");
	if (input == INPUT_RESYNC &&
	    (options->type != NULL || options->key != NULL ||
		options->data_is != SSEMUX_PUB_GUESS ||
		options->print_notified || options->print_receipts))
		return args_complain("--resync has no type, key, data or "
				     "count of clients");
	if (options->print_notified && options->print_receipts)
		return args_complain("only one of -n and -N can be given");
	if (options->skip_bad && input != INPUT_LINES &&
	    input != INPUT_JSON_LINES)
		return args_complain("--skip-bad goes with -l or -j");
	return -1;
}

static int
set_operands(struct options *options, int count, char *operands[])
{
	if (count == 0 && options->input != INPUT_JSON_LINES)
		return args_complain("the channel is missing");
	if (count > 0)
		options->channel = operands[0];
	if (count > 1 && options->input != INPUT_ARGUMENT)
		return args_complain(
		    "'%s' is too much: the data come from elsewhere",
		    operands[1]);
	if (count > 2)
		return args_complain("'%s' is too much: data with spaces "
				     "need quotes",
		    operands[2]);
	options->data = count > 1 ? operands[1] : "";
	return -1;
}

unsigned
options_receipts(const struct options *options)
{
	if (options->print_receipts)
		return SSEMUX_PUB_WANT_COUNTS;
	return options->print_notified ? SSEMUX_PUB_WANT_RECEIPT : 0;
}

int
options_read(struct options *options, int argc, char *argv[])
{
	int found, code;

	*options = (struct options){
	    .socket = args_default_socket(), .timeout_ms = ARGS_TIMEOUT_MS};
	opterr = 0;
	while ((found = getopt_long(
		    argc, argv, ":f:hijk:lnNs:t:", long_options, NULL)) != -1) {
		code = set_option(options, found, argv);
		if (code >= 0)
			return code;
	}
	code = set_operands(options, argc - optind, argv + optind);
	return code >= 0 ? code : check_together(options);
}
