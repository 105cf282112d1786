/* exits: from failures to exit codes. See exits.h. */
#include "publisher-cli/exits.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

int
exits_of_refusal(const char *code)
{
	return strcmp(code, "not-allowed") == 0 ? EX_NOPERM : EX_DATAERR;
}

int
exits_of_handle(const struct ssemux_pub *pub)
{
	int number = ssemux_pub_error_number(pub);

	switch (ssemux_pub_state(pub)) {
	case SSEMUX_PUB_CONNECTING:
		return number == EACCES ? EX_NOPERM : EX_UNAVAILABLE;
	case SSEMUX_PUB_CONNECTED:
	case SSEMUX_PUB_RECONNECTING:
		return EX_TEMPFAIL;
	case SSEMUX_PUB_FAILED:
		return number == EACCES ? EX_NOPERM : EX_PROTOCOL;
	}
	return EX_SOFTWARE;
}

int
exits_of_command(const struct ssemux_pub *pub)
{
	switch (ssemux_pub_error_number(pub)) {
	case EINVAL:
		return EX_DATAERR;
	case EACCES:
		return EX_NOPERM;
	case EAGAIN:
	case EINPROGRESS:
		return EX_TEMPFAIL;
	default:
		return exits_of_handle(pub);
	}
}

int
exits_of_errno(int number)
{
	return number == EINVAL || number == ENAMETOOLONG ? EX_USAGE : EX_OSERR;
}
