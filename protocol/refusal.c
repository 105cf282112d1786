/* refusal: the table of refusals. See refusal.h. */
#include "protocol/refusal.h"

#include <assert.h>

enum outlook { FINAL, LATER };

static const struct {
	const char *code;
	const char *sentence;
	enum outlook outlook;
} rows[] = {
    [REFUSAL_NONE] = {"", "", FINAL},
#define REFUSAL(name, code, outlook, sentence) \
	[REFUSAL_##name] = {code, sentence, outlook},
#include "protocol/refusal.def"
#undef REFUSAL
};

const char *
refusal_code(enum refusal refusal)
{
	assert(refusal < REFUSAL_COUNT);
	return rows[refusal].code;
}

const char *
refusal_sentence(enum refusal refusal)
{
	assert(refusal < REFUSAL_COUNT);
	return rows[refusal].sentence;
}

bool
refusal_is_temporary(enum refusal refusal)
{
	assert(refusal < REFUSAL_COUNT);
	return rows[refusal].outlook == LATER;
}

enum refusal
refusal_of_code(struct slice code)
{
	for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
		if (slice_is(code, rows[i].code))
			return (enum refusal)i;
	}
	return REFUSAL_NONE;
}
