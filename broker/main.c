/*
 * ssemuxd: the broker. Options, configuration, sockets, shared memory,
 * supervision. See ssemuxd(8).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/shared/config.h"
#include "broker/shared/config_http.h"
#include "broker/shared/heritage.h"
#include "broker/shared/log.h"
#include "broker/supervisor/keys.h"
#include "broker/supervisor/listen.h"
#include "broker/supervisor/prepare.h"
#include "broker/supervisor/privileges.h"
#include "broker/supervisor/signals.h"
#include "broker/supervisor/supervisor.h"
#include "broker/supervisor/title.h"

static const char default_file[] = "/etc/ssemux/ssemuxd.conf";

struct options {
	const char *file; /* NULL: none */
	const char **overrides;
	size_t override_count;
	int check; /* -t */
};

static void __attribute__((noreturn)) usage(FILE *out, int exit_code)
{
	fprintf(out, "usage: ssemuxd [-c FILE] [-t] [-o SECTION.KEY=VALUE]...\n"
		     "       ssemuxd -h\n");
	if (exit_code == EX_OK) {
		fprintf(out,
		    "\n"
		    "  -c FILE               configuration (%s,\n"
		    "                        when that is there)\n"
		    "  -o SECTION.KEY=VALUE  a setting, over the file's\n"
		    "  -t                    check the configuration and end\n"
		    "\n",
		    default_file);
		config_print_settings(out);
	}
	exit(exit_code);
}

static void
parse_options(int argc, char **argv, struct options *options)
{
	int option;

	*options = (struct options){.file = NULL};
	options->overrides = calloc((size_t)argc, sizeof(char *));
	if (options->overrides == NULL)
		log_fatal(EX_OSERR, "no memory");
	while ((option = getopt(argc, argv, "c:o:th")) != -1) {
		switch (option) {
		case 'c':
			options->file = optarg;
			break;
		case 'o':
			options->overrides[options->override_count++] = optarg;
			break;
		case 't':
			options->check = 1;
			break;
		case 'h':
			usage(stdout, EX_OK);
		default:
			usage(stderr, EX_USAGE);
		}
	}
	if (optind < argc)
		usage(stderr, EX_USAGE);
	if (options->file == NULL && access(default_file, F_OK) == 0)
		options->file = default_file;
}

/* What one setting alone cannot tell. */
static const char *
contradiction(const struct config *config)
{
	uint64_t record = config->publish_max_event + 1024;

	if (record > config->broker_ring / 4)
		return "broker.ring must be more than four times "
		       "publish.max_event";
	if (record > config->broker_window / 4)
		return "broker.window must be more than four times "
		       "publish.max_event";
	if (config->broker_drain_spread > 0 &&
	    config->broker_drain_spread >= config->broker_drain_timeout)
		return "broker.drain_spread must be less than "
		       "broker.drain_timeout";
	return keys_contradiction(config);
}

static void
load_config(const struct options *options, struct config *config)
{
	char error[CONFIG_ERROR_SIZE];
	const char *why;

	if (config_load(config, options->file, options->overrides,
		options->override_count, error) == -1) {
		fprintf(stderr, "ssemuxd: %s\n", error);
		exit(EX_CONFIG);
	}
	why = contradiction(config);
	if (why != NULL) {
		fprintf(stderr, "ssemuxd: %s\n", why);
		exit(EX_CONFIG);
	}
	if (config_http_check(config, error) == -1) {
		fprintf(stderr, "ssemuxd: %s\n", error);
		exit(EX_CONFIG);
	}
	if (listen_check(config) == -1)
		exit(EX_CONFIG);
}

/* log_level stands between the configuration, which names it, and the log,
 * which does not know the configuration. */
static void
start_log(const struct config *config)
{
	static const enum log_level levels[] = {
	    [CONFIG_LEVEL_DEBUG] = LOG_DEBUG,
	    [CONFIG_LEVEL_INFO] = LOG_INFO,
	    [CONFIG_LEVEL_WARN] = LOG_WARN,
	};

	log_set_level(levels[config->broker_log_level]);
}

/* Where standard error is closed, what is opened first would become it, and get
 * the log: a socket, or the memory that all share. */
static void
fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int
main(int argc, char **argv)
{
	struct heritage heritage = {.workers = 0};
	struct privileges privileges;
	struct options options;
	struct config config;
	int result;

	fill_standard_descriptors();
	log_set_role("supervisor");
	parse_options(argc, argv, &options);
	load_config(&options, &config);
	if (options.check) {
		result = keys_check(&config) == 0 ? EX_OK : EX_CONFIG;
		if (result == EX_OK)
			printf("the configuration is good\n");
		config_finish(&config);
		free(options.overrides);
		return result;
	}
	signals_ignore();
	title_init(argc, argv);
	title_set("supervisor");
	start_log(&config);
	heritage.config = &config;

	if (privileges_find(&config, &privileges) == -1)
		return EX_NOUSER;
	result = listen_all(&heritage, &privileges);
	if (result == EX_OK)
		result = prepare_heritage(&heritage);
	if (result == EX_OK)
		result = supervisor_run(&heritage, &privileges);
	if (heritage.publish_fd > 0)
		listen_end(&config);
	free(heritage.worker_bells);
	free(heritage.http_fds);
	config_finish(&config);
	free(options.overrides);
	return result;
}
