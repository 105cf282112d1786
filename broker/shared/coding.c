/* coding: names. See coding.h. */
#include "broker/shared/coding.h"

const char *
coding_name(enum coding coding)
{
	static const char *const names[CODING_COUNT] = {
	    [CODING_NONE] = "identity",
	    [CODING_GZIP] = "gzip",
	};

	return names[coding];
}
