/* refusal: why the broker did not take something. The rows: refusal.def. */
#ifndef SSEMUX_PROTOCOL_REFUSAL_H
#define SSEMUX_PROTOCOL_REFUSAL_H

#include <stdbool.h>

#include "protocol/slice.h"

enum refusal {
	REFUSAL_NONE = 0,
#define REFUSAL(name, code, outlook, sentence) REFUSAL_##name,
#include "protocol/refusal.def"
#undef REFUSAL
	REFUSAL_COUNT
};

/* A refusal and what it is about. */
struct fault {
	enum refusal refusal;
	const char *field; /* static text; NULL when it is about no field */
};

/* The code as it goes over the wire; stable. */
const char *refusal_code(enum refusal refusal);

/* One sentence for people. */
const char *refusal_sentence(enum refusal refusal);

/* True when the same may be accepted later. */
bool refusal_is_temporary(enum refusal refusal);

/* The refusal with this code; REFUSAL_NONE for one that is not known. */
enum refusal refusal_of_code(struct slice code);

#endif
