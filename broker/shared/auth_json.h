/*
 * auth_json: the JSON of tokens and keys, read strictly. Only auth_*.c look
 * here.
 *
 * UTF-8, no name twice in an object, no NUL in a text, integers of 64 bits,
 * reals that a double holds, and brackets AUTH_JSON_DEPTH_MAX deep.
 */
#ifndef SSEMUX_SHARED_AUTH_JSON_H
#define SSEMUX_SHARED_AUTH_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "protocol/slice.h"

enum { AUTH_JSON_DEPTH_MAX = 16 };

struct auth_claims {
	json_t *object;
};

/* The JSON object that the text is, to be freed with json_decref(); NULL when
 * it is none. */
json_t *auth_json_object(struct slice text);

/* The text of a string value, valid as long as the value; len 0 and bytes NULL
 * when the value is none, or NULL. */
struct slice auth_json_text(const json_t *value);

/* Is the value the string? False for NULL. */
bool auth_json_is(const json_t *value, const char *text);

#endif
