/* ssemuxctl: look at a running broker, and tell it things; see ssemuxctl(1). */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <ssemux/pub.h>

#include "publisher-cli/args.h"
#include "publisher-cli/exits.h"
#include "publisher-cli/report.h"

static const char help[] =
    "Usage: ssemuxctl [OPTIONS] COMMAND\n"
    "Commands:\n"
    "  status             how the broker is doing\n"
    "  resync CHANNEL     its subscribers load what it is about anew\n"
    "Options:\n"
    "      --json             status: the broker's report as it is\n"
    "  -s, --socket PATH      the broker's socket\n"
    "      --timeout SECONDS  give up after so long; 0: never (10)\n"
    "  -h, --help\n"
    "      --version\n";

struct request {
	const char *socket;
	int timeout_ms;
	bool json;
	int count; /* of operands */
	char **operands;
};

enum { OPT_JSON = 0x100, OPT_TIMEOUT, OPT_VERSION };

static const struct option long_options[] = {
    {"help", no_argument, NULL, 'h'},
    {"json", no_argument, NULL, OPT_JSON},
    {"socket", required_argument, NULL, 's'},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static int
print_and_end(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EX_IOERR
							      : EX_OK;
}

/* -1, or the exit code. */
static int
read_options(struct request *request, int argc, char *argv[])
{
	int found;

	opterr = 0;
	while ((found = getopt_long(argc, argv, ":hs:", long_options, NULL)) !=
	       -1) {
		switch (found) {
		case 's':
			request->socket = optarg;
			break;
		case OPT_JSON:
			request->json = true;
			break;
		case OPT_TIMEOUT:
			if (args_parse_seconds(optarg, &request->timeout_ms) <
			    0)
				return args_complain("--timeout is a number "
						     "of seconds, not '%s'",
				    optarg);
			break;
		case 'h':
			return print_and_end(help);
		case OPT_VERSION:
			return print_and_end("ssemuxctl " SSEMUX_VERSION "\n");
		default:
			return args_complain_of_option(found, argv);
		}
	}
	request->count = argc - optind;
	request->operands = argv + optind;
	return -1;
}

/* Says why the handle did not do it. Returns the exit code. */
static int
complain(const struct ssemux_pub *pub, int exit_code)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name,
	    ssemux_pub_error(pub));
	return exit_code;
}

static int
run_status(struct ssemux_pub *pub, const struct request *request)
{
	const char *report;
	int failed = 0;

	report = ssemux_pub_status(pub, request->timeout_ms);
	if (report == NULL)
		return complain(pub, exits_of_handle(pub));
	if (request->json)
		puts(report);
	else
		failed = report_print(stdout, report);
	if (failed != 0) {
		fprintf(stderr, "%s: the broker's report is no JSON object\n",
		    program_invocation_short_name);
		return EX_PROTOCOL;
	}
	return fflush(stdout) != 0 || ferror(stdout) ? EX_IOERR : EX_OK;
}

/* What became of the one resync. */
struct answer {
	int exit_code;
	char text[320];
};

static void
on_result(const struct ssemux_pub_result *result, void *context)
{
	struct answer *answer = context;

	if (result->outcome != SSEMUX_PUB_REFUSED)
		return;
	answer->exit_code = exits_of_refusal(result->code);
	snprintf(answer->text, sizeof(answer->text), "%s", result->text);
}

static int
run_resync(struct ssemux_pub *pub, const struct request *request,
    const struct answer *answer)
{
	if (ssemux_pub_resync(pub, request->operands[1], NULL) < 0)
		return complain(
		    pub, exits_of_refusal(ssemux_pub_error_code(pub)));
	if (ssemux_pub_flush(pub, request->timeout_ms) != 0)
		return complain(pub, exits_of_handle(pub));
	if (answer->exit_code != EX_OK)
		fprintf(stderr, "%s: %s\n", program_invocation_short_name,
		    answer->text);
	return answer->exit_code;
}

static int
run_command(const struct request *request)
{
	struct answer answer = {.exit_code = EX_OK};
	struct ssemux_pub_options options = {
	    .size = sizeof(options),
	    .socket = request->socket,
	    .on_result = on_result,
	    .context = &answer,
	};
	struct ssemux_pub *pub = ssemux_pub_open(&options);
	int code;

	if (pub == NULL) {
		fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name,
		    request->socket, strerror(errno));
		return exits_of_errno(errno);
	}
	if (strcmp(request->operands[0], "status") == 0)
		code = run_status(pub, request);
	else
		code = run_resync(pub, request, &answer);
	ssemux_pub_close(pub);
	return code;
}

/* -1, or the exit code. */
static int
check_request(const struct request *request)
{
	const char *command;

	if (request->count == 0)
		return args_complain("the command is missing");
	command = request->operands[0];
	if (strcmp(command, "status") == 0) {
		if (request->count > 1)
			return args_complain(
			    "'%s' is too much", request->operands[1]);
		return -1;
	}
	if (strcmp(command, "resync") != 0)
		return args_complain("unknown command '%s'", command);
	if (request->count != 2)
		return args_complain("resync needs one channel");
	if (request->json)
		return args_complain("--json goes with status");
	return -1;
}

int
main(int argc, char *argv[])
{
	struct request request = {
	    .socket = args_default_socket(), .timeout_ms = ARGS_TIMEOUT_MS};
	int code = read_options(&request, argc, argv);

	if (code < 0)
		code = check_request(&request);
	if (code >= 0)
		return code;
	if (request.timeout_ms == 0)
		request.timeout_ms = -1;
	return run_command(&request);
}
