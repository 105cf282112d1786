/* ssemuxctl: look at a running broker, and tell it things; see ssemuxctl(1). */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <ssemux/pub.h>

#include "publisher-cli/args.h"
#include "publisher-cli/exits.h"
#include "publisher-cli/output.h"
#include "publisher-cli/report.h"
#include "publisher-cli/trace_report.h"

static const char help[] =
    "Usage: ssemuxctl [OPTIONS] COMMAND\n"
    "Commands:\n"
    "  status             how the broker is doing\n"
    "  resync CHANNEL     its subscribers load what it is about anew\n"
    "  kick USER          withdraw everything from a user, end its streams\n"
    "  revoke USER CHANNELS\n"
    "                     withdraw a channel, a prefix like a:*, or *\n"
    "  restore USER [CHANNELS]\n"
    "                     take back what was withdrawn\n"
    "  drain              let all streams go, and end the broker\n"
    "  trace CURSOR       what became of an event, stream by stream\n"
    "  explain USER CURSOR\n"
    "                     why the user got it, or did not\n"
    "Options:\n"
    "      --json             the broker's answer as JSON; not with resync\n"
    "  -s, --socket PATH      the broker's socket\n"
    "      --timeout SECONDS  give up after so long; 0: never (10)\n"
    "  -h, --help\n"
    "      --version\n";

/* What became of the one resync. */
struct answer {
	int exit_code;
	char text[320];
};

struct request {
	const char *socket;
	int timeout_ms;
	bool json;
	int count; /* of operands */
	char **operands;
	struct answer *answer;
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
run_resync(struct ssemux_pub *pub, const struct request *request)
{
	const struct answer *answer = request->answer;

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

/* Prints what was done, or why it was not. */
static int
finish_command(struct ssemux_pub *pub, const struct request *request,
    const char *noun, long count)
{
	struct report_command done = {
	    .command = request->operands[0],
	    .user = request->operands[1],
	    .channels = request->count > 2 ? request->operands[2] : NULL,
	    .noun = noun,
	    .count = count,
	};
	int failed = 0;

	if (count < 0)
		return complain(pub, exits_of_command(pub));
	if (request->json)
		failed = report_print_command(stdout, &done);
	else
		printf("%ld %s%s %s\n", count, noun, count == 1 ? "" : "s",
		    strcmp(noun, "stream") == 0 ? "told" : "taken back");
	return failed != 0 || fflush(stdout) != 0 || ferror(stdout) ? EX_IOERR
								    : EX_OK;
}

static int
run_kick(struct ssemux_pub *pub, const struct request *request)
{
	return finish_command(pub, request, "stream",
	    ssemux_pub_kick(pub, request->operands[1], request->timeout_ms));
}

static int
run_revoke(struct ssemux_pub *pub, const struct request *request)
{
	return finish_command(pub, request, "stream",
	    ssemux_pub_revoke(pub, request->operands[1], request->operands[2],
		request->timeout_ms));
}

static int
run_restore(struct ssemux_pub *pub, const struct request *request)
{
	return finish_command(pub, request, "revocation",
	    ssemux_pub_restore(pub, request->operands[1],
		request->count > 2 ? request->operands[2] : NULL,
		request->timeout_ms));
}

/* Prints what became of an event. */
static int
finish_question(
    struct ssemux_pub *pub, const struct request *request, const char *answer)
{
	enum trace_form form =
	    isatty(STDOUT_FILENO) ? TRACE_TABLE : TRACE_LINES;
	enum trace_found found = TRACE_FOUND;
	int failed = 0;

	if (answer == NULL)
		return complain(pub, exits_of_command(pub));
	if (request->json)
		puts(answer);
	else
		failed = trace_report_print(stdout, answer, form, &found);
	if (failed != 0) {
		fprintf(stderr, "%s: the broker's answer is no JSON object\n",
		    program_invocation_short_name);
		return EX_PROTOCOL;
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return EX_IOERR;
	if (found == TRACE_FOUND)
		return EX_OK;
	if (found == TRACE_LATE) {
		fprintf(stderr, "%s: not all workers have answered\n",
		    program_invocation_short_name);
		return EX_TEMPFAIL;
	}
	fprintf(stderr, "%s: no event of this cursor is kept\n",
	    program_invocation_short_name);
	return EX_UNAVAILABLE;
}

static int
run_trace(struct ssemux_pub *pub, const struct request *request)
{
	return finish_question(pub, request,
	    ssemux_pub_trace(pub, request->operands[1], request->timeout_ms));
}

static int
run_explain(struct ssemux_pub *pub, const struct request *request)
{
	return finish_question(pub, request,
	    ssemux_pub_explain(pub, request->operands[1], request->operands[2],
		request->timeout_ms));
}

static int
run_drain(struct ssemux_pub *pub, const struct request *request)
{
	long streams = ssemux_pub_drain(pub, request->timeout_ms);

	if (streams < 0)
		return complain(pub, exits_of_command(pub));
	if (request->json)
		printf("{\"command\":\"drain\",\"streams\":%ld}\n", streams);
	else
		printf("draining, with %ld stream%s\n", streams,
		    streams == 1 ? "" : "s");
	return fflush(stdout) != 0 || ferror(stdout) ? EX_IOERR : EX_OK;
}

/* The commands, and how many operands each has, itself counted. */
static const struct command {
	const char *name;
	int (*run)(struct ssemux_pub *pub, const struct request *request);
	int min, max;
	const char *needs;
	bool json;
} commands[] = {
    {"status", run_status, 1, 1, "nothing more", true},
    {"resync", run_resync, 2, 2, "one channel", false},
    {"kick", run_kick, 2, 2, "one user", true},
    {"revoke", run_revoke, 3, 3, "a user and its channels", true},
    {"restore", run_restore, 2, 3, "a user, and channels or none", true},
    {"trace", run_trace, 2, 2, "a cursor", true},
    {"explain", run_explain, 3, 3, "a user and a cursor", true},
    {"drain", run_drain, 1, 1, "nothing more", true},
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	}
	return NULL;
}

static int
run_command(const struct request *request)
{
	struct ssemux_pub_options options = {
	    .size = sizeof(options),
	    .socket = request->socket,
	    .on_result = on_result,
	    .context = request->answer,
	};
	struct ssemux_pub *pub = ssemux_pub_open(&options);
	int code;

	if (pub == NULL) {
		fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name,
		    request->socket, strerror(errno));
		return exits_of_errno(errno);
	}
	code = find_command(request->operands[0])->run(pub, request);
	ssemux_pub_close(pub);
	return code;
}

/* -1, or the exit code. */
static int
check_request(const struct request *request)
{
	const struct command *command;

	if (request->count == 0)
		return args_complain("the command is missing");
	command = find_command(request->operands[0]);
	if (command == NULL)
		return args_complain(
		    "unknown command '%s'", request->operands[0]);
	if (request->count < command->min)
		return args_complain(
		    "%s needs %s", command->name, command->needs);
	if (request->count > command->max)
		return args_complain(
		    "'%s' is too much", request->operands[command->max]);
	if (request->json && !command->json)
		return args_complain(
		    "--json does not go with %s", command->name);
	return -1;
}

int
main(int argc, char *argv[])
{
	struct answer answer = {.exit_code = EX_OK};
	struct request request = {
	    .socket = args_default_socket(),
	    .timeout_ms = ARGS_TIMEOUT_MS,
	    .answer = &answer,
	};
	int code;

	output_keep_places();
	code = read_options(&request, argc, argv);
	if (code < 0)
		code = check_request(&request);
	if (code >= 0)
		return code;
	if (request.timeout_ms == 0)
		request.timeout_ms = -1;
	return run_command(&request);
}
