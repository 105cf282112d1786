/* auth_verdict: judgements about tokens; see auth_verdict.def for the rows. */
#ifndef SSEMUX_SHARED_AUTH_VERDICT_H
#define SSEMUX_SHARED_AUTH_VERDICT_H

enum auth_verdict {
#define AUTH_VERDICT(name, code, sentence) AUTH_VERDICT_##name,
#include "broker/shared/auth_verdict.def"
#undef AUTH_VERDICT
	AUTH_VERDICT_COUNT
};

/* Stable, such as "expired". */
const char *auth_verdict_code(enum auth_verdict verdict);

/* In plain ASCII, without anything of the token. */
const char *auth_verdict_sentence(enum auth_verdict verdict);

#endif
