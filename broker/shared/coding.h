/*
 * coding: how the body of an answer is coded (RFC 9110, 8.4.1).
 */
#ifndef SSEMUX_SHARED_CODING_H
#define SSEMUX_SHARED_CODING_H

#include <stdbool.h>

/* A later one is preferred, other things being equal. */
enum coding {
	CODING_NONE,
	CODING_GZIP,
	CODING_ZSTD,
	CODING_COUNT,
};

/* As headers call it: "gzip"; and where there is none, "identity". */
const char *coding_name(enum coding coding);

/* Can this ssemuxd make it? */
bool coding_is_built(enum coding coding);

#endif
