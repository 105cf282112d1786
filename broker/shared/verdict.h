/*
 * verdict: what became of an event on a stream, from what is known of both.
 *
 * Nothing is logged per event: a stream has a cursor, subscriptions and rules,
 * and what it got follows from these. Where they do not tell for sure, as they
 * were others when the stream passed the event, the verdict is probable. Pure.
 */
#ifndef SSEMUX_SHARED_VERDICT_H
#define SSEMUX_SHARED_VERDICT_H

#include <stdbool.h>

enum verdict {
#define VERDICT(name, word, sentence) VERDICT_##name,
#include "broker/shared/verdict.def"
#undef VERDICT
	VERDICT_COUNT
};

/* What is known of a stream and an event. */
struct verdict_facts {
	bool known;     /* on which channel the event was */
	bool covered;   /* a subscription of the stream covers that */
	bool begun;     /* one that does begins before the event; when it is
			 * not known which do: any */
	bool withdrawn; /* access to the channel was withdrawn */
	bool filtered;  /* the stream does not take its type or key */
	bool conflated; /* another took its place on the stream */
	bool reached;   /* the stream has come past it */
	bool ended;     /* the stream has ended */
	bool kept;      /* the event can still be read */
	bool changed;   /* all this was different, nobody knows how, when the
			 * stream came past it */
};

enum verdict verdict_find(const struct verdict_facts *facts);

/* Do the facts tell it for sure? */
bool verdict_certain(const struct verdict_facts *facts);

/* The word for programs, and the sentence for people. */
const char *verdict_word(enum verdict verdict);
const char *verdict_sentence(enum verdict verdict);

#endif
