/*
 * auth_template: channel patterns with claims in them, such as "user:{sub}" or
 * "org:{org}:*".
 *
 * A placeholder {NAME} stands for the claim of that name; when there is none,
 * dots in the name lead into objects: {realm.tenant}. A text and an integer
 * give one value; a list of these gives several, and so several patterns.
 * A value is written so that it can neither widen the pattern nor be taken for
 * another: each byte outside [A-Za-z0-9_.@/-] becomes ~XX. A segment (what
 * stands between two colons) has one placeholder at most, for the same reason.
 */
#ifndef SSEMUX_SHARED_AUTH_TEMPLATE_H
#define SSEMUX_SHARED_AUTH_TEMPLATE_H

#include <stdbool.h>

#include "protocol/slice.h"

struct auth_token;

enum {
	AUTH_TEMPLATE_PLACEHOLDERS_MAX = 4,
	AUTH_TEMPLATE_PATTERNS_MAX = 1024, /* that one template gives */
};

/* Would it be a pattern, were the placeholders filled? If not, *why gets one
 * sentence. */
bool auth_template_valid(struct slice template, const char **why);

/*
 * Calls add() with each pattern that the token's claims (NULL: no claims) make
 * of a valid template; all of them are valid patterns. A missing, empty or
 * unusable claim, or one that makes the pattern too long, gives none, and so
 * does a template that would give more than AUTH_TEMPLATE_PATTERNS_MAX. How
 * many there were. The pattern is valid during the call of add() only.
 */
int auth_template_fill(struct slice template, const struct auth_token *token,
    void (*add)(struct slice pattern, void *context), void *context);

#endif
