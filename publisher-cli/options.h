/* options: the command line of ssemux-pub. */
#ifndef SSEMUX_CLI_OPTIONS_H
#define SSEMUX_CLI_OPTIONS_H

#include <stdbool.h>

#include <ssemux/pub.h>

enum options_input {
	INPUT_ARGUMENT,   /* DATA, one event */
	INPUT_FILE,       /* -f, one event */
	INPUT_LINES,      /* -l, each line is the data of an event */
	INPUT_JSON_LINES, /* -j, each line is an event */
	INPUT_RESYNC,     /* --resync, one resync */
};

struct options {
	enum options_input input;
	const char *socket;
	const char *channel; /* NULL: none, with -j only */
	const char *type;    /* NULL: none */
	const char *key;     /* NULL: none */
	const char *data;    /* INPUT_ARGUMENT; "" when it is left out */
	const char *file;    /* INPUT_FILE; "-" is standard input */
	enum ssemux_pub_data data_is;
	bool print_cursors;
	bool print_notified;
	bool print_receipts;
	bool skip_bad;
	int timeout_ms; /* 0: none */
};

/*
 * Reads the command line. Returns -1, and the program goes on; or the exit
 * code with which it ends, as everything has been said: help, the version, or
 * what is wrong.
 */
int options_read(struct options *options, int argc, char *argv[]);

/* The flags of an event for the receipt that is to be printed; 0: none. */
unsigned options_receipts(const struct options *options);

#endif
