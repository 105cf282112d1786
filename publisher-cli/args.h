/* args: what the command lines of our programs have in common. */
#ifndef SSEMUX_CLI_ARGS_H
#define SSEMUX_CLI_ARGS_H

/* Milliseconds that a program waits for the broker, by default. */
enum { ARGS_TIMEOUT_MS = 10000 };

/* The socket when no option names one: $SSEMUX_SOCKET, else the default. */
const char *args_default_socket(void);

/* Reads seconds, like "10" or "0.5", up to a day. 0 and *ms; or -1. */
int args_parse_seconds(const char *text, int *ms);

/* Says on standard error what is wrong with the command line, and how to get
 * help. Returns EX_USAGE. */
__attribute__((format(printf, 1, 2))) int args_complain(
    const char *format, ...);

/* The same for what getopt_long() found; argv as given to it. */
int args_complain_of_option(int found, char *const argv[]);

#endif
