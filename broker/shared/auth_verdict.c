/* auth_verdict: the words of judgements about tokens. See auth_verdict.h. */
#include "broker/shared/auth_verdict.h"

static const struct {
	const char *code;
	const char *sentence;
} verdicts[AUTH_VERDICT_COUNT] = {
#define AUTH_VERDICT(name, code, sentence) {code, sentence},
#include "broker/shared/auth_verdict.def"
#undef AUTH_VERDICT
};

const char *
auth_verdict_code(enum auth_verdict verdict)
{
	return verdicts[verdict].code;
}

const char *
auth_verdict_sentence(enum auth_verdict verdict)
{
	return verdicts[verdict].sentence;
}
