/* coding: names. See coding.h. */
#include "broker/shared/coding.h"

const char *
coding_name(enum coding coding)
{
	static const char *const names[CODING_COUNT] = {
	    [CODING_NONE] = "identity",
	    [CODING_GZIP] = "gzip",
	    [CODING_ZSTD] = "zstd",
	};

	return names[coding];
}

bool
coding_is_built(enum coding coding)
{
#ifdef SSEMUX_NO_ZSTD
	return coding != CODING_ZSTD;
#else
	(void)coding;
	return true;
#endif
}
