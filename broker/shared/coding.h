/*
 * coding: how the body of an answer is coded (RFC 9110, 8.4.1).
 */
#ifndef SSEMUX_SHARED_CODING_H
#define SSEMUX_SHARED_CODING_H

enum coding {
	CODING_NONE,
	CODING_GZIP,
	CODING_COUNT,
};

/* As headers call it: "gzip"; and where there is none, "identity". */
const char *coding_name(enum coding coding);

#endif
