/* sized: structs that may grow. See sized.h. */
#include "libpub/sized.h"

#include <errno.h>
#include <string.h>

int
sized_copy(void *known, size_t known_size, const void *given, size_t given_size)
{
	const char *bytes = given;
	size_t size = given_size < known_size ? given_size : known_size;

	/* There has been one version of each struct: nothing is smaller. */
	if (given_size < known_size) {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = size; i < given_size; i++) {
		if (bytes[i] != 0) {
			errno = EINVAL;
			return -1;
		}
	}
	memcpy(known, given, size);
	return 0;
}
