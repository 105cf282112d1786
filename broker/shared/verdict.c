/* verdict: from facts to what became of an event. See verdict.h. */
#include "broker/shared/verdict.h"

static const struct {
	const char *word;
	const char *sentence;
} rows[] = {
#define VERDICT(name, word, sentence) [VERDICT_##name] = {word, sentence},
#include "broker/shared/verdict.def"
#undef VERDICT
};

/* Without its channel, the cursors are all there is to go by. */
static enum verdict
find_unknown(const struct verdict_facts *facts)
{
	if (!facts->begun)
		return VERDICT_BEGAN_AFTER;
	if (facts->ended && !facts->reached)
		return VERDICT_ENDED_BEFORE;
	return VERDICT_UNKNOWN;
}

enum verdict
verdict_find(const struct verdict_facts *facts)
{
	if (!facts->known)
		return find_unknown(facts);
	if (facts->withdrawn)
		return VERDICT_NOT_GRANTED;
	if (!facts->covered)
		return VERDICT_NOT_SUBSCRIBED;
	if (!facts->begun)
		return VERDICT_BEGAN_AFTER;
	if (facts->filtered)
		return VERDICT_FILTERED;
	if (facts->conflated)
		return VERDICT_CONFLATED;
	if (facts->reached)
		return VERDICT_WRITTEN;
	if (facts->ended)
		return VERDICT_ENDED_BEFORE;
	return facts->kept ? VERDICT_LAGGING : VERDICT_HISTORY_GONE;
}

bool
verdict_certain(const struct verdict_facts *facts)
{
	if (facts->changed)
		return false;
	/* It may have been let go just before the stream came there. */
	return facts->kept || verdict_find(facts) != VERDICT_WRITTEN;
}

const char *
verdict_word(enum verdict verdict)
{
	return rows[verdict].word;
}

const char *
verdict_sentence(enum verdict verdict)
{
	return rows[verdict].sentence;
}
