/* words: channel, type, key and file of the command line, before there is a
 * broker. */
#ifndef SSEMUX_CLI_WORDS_H
#define SSEMUX_CLI_WORDS_H

#include "publisher-cli/options.h"

/* Could any broker take an event of these words? If not, says why. EX_OK, or
 * the exit code. With -j, each line may still say otherwise. */
int words_check(const struct options *options);

#endif
