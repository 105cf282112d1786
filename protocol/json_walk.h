/*
 * json_walk: the members of an object and the elements of an array, each as
 * the bytes that it is. For requests, which say little; what they carry is
 * cut out and passed on as it stands.
 */
#ifndef SSEMUX_PROTOCOL_JSON_WALK_H
#define SSEMUX_PROTOCOL_JSON_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/slice.h"

struct buf;

/* Where a walk stands. */
struct json_walk {
	const char *at;
	const char *end;
	bool begun;
};

/*
 * Begins to walk an object, an array: json_valid() text, which must stay where
 * it is. False: it is something else.
 */
bool json_walk_object(struct json_walk *walk, struct slice text);
bool json_walk_array(struct json_walk *walk, struct slice text);

/*
 * The next member, the next element; false: there is none. A name and a value
 * that is a string have their quotes and escapes.
 */
bool json_walk_member(
    struct json_walk *walk, struct slice *name, struct slice *value);
bool json_walk_element(struct json_walk *walk, struct slice *value);

bool json_is_string(struct slice value);

/*
 * Appends what a JSON string stands for. -1: half a surrogate pair, which
 * stands for nothing; some of it may have been appended.
 */
int json_string_decode(struct slice string, struct buf *text);

/* Does a JSON string stand for this ASCII word, which has no quote and no
 * backslash? */
bool json_string_is(struct slice string, const char *word);

#endif
