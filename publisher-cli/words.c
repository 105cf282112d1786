/* words: see words.h. The library knows what may be published, and says so
 * without a connection. */
#include "publisher-cli/words.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "publisher-cli/exits.h"
#include "publisher-cli/output.h"

/* The file is opened when the broker has said how much it takes: this is only
 * to say at once that it is not there. */
static int
check_file(const struct options *options, struct progress *none)
{
	if (options->input != INPUT_FILE || strcmp(options->file, "-") == 0 ||
	    access(options->file, R_OK) == 0)
		return EX_OK;
	output_complain(none, 0, "%s: %s", options->file, strerror(errno));
	return EX_NOINPUT;
}

int
words_check(const struct options *options)
{
	struct ssemux_pub_event event = {
	    .size = sizeof(event),
	    .channel = options->channel,
	    .type = options->type,
	    .key = options->key,
	};
	struct progress none = {.shown = false};
	struct ssemux_pub *pub;
	int code = EX_OK;

	if (options->input == INPUT_JSON_LINES)
		return EX_OK;
	pub = ssemux_pub_open(NULL);
	if (pub == NULL)
		return exits_of_errno(errno);
	if (ssemux_pub_publish(pub, &event) < 0) {
		output_complain(&none, 0, "%s: %s", ssemux_pub_error_field(pub),
		    ssemux_pub_error(pub));
		code = EX_DATAERR;
	}
	(void)ssemux_pub_close(pub);
	return code == EX_OK ? check_file(options, &none) : code;
}
