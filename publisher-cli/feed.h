/*
 * feed: from the input to the broker, and from the broker's answers to the
 * output; what ssemux-pub does once its command line is read.
 *
 *	input -> source -> [held] -> publisher ... result -> output
 *
 * Memory is bounded by one line, and by what the publisher keeps until it is
 * acknowledged: when that is full, no more is read.
 */
#ifndef SSEMUX_CLI_FEED_H
#define SSEMUX_CLI_FEED_H

#include "publisher-cli/options.h"

/* Publishes what the options say. Returns the exit code; or minus the number
 * of the signal that ended it. */
int feed_run(const struct options *options);

#endif
