/* some_shapes: every kind of shape that a configuration can ask for. */
#ifndef TESTS_UNIT_SOME_SHAPES_H
#define TESTS_UNIT_SOME_SHAPES_H

#include <check.h>

#include "broker/shared/sse_shape.h"

enum { SHAPES = 7 };

/* An envelope with these fields, the last one NULL. */
static inline struct sse_shape
envelope_of(const char *const *fields)
{
	struct sse_shape shape = {.format = SSE_ENVELOPE};

	for (; *fields != NULL; fields++)
		ck_assert_int_eq(
		    sse_shape_add_field(&shape, slice_of_text(*fields)), 0);
	return shape;
}

static inline void
make_some_shapes(struct sse_shape shapes[SHAPES])
{
	static const char *const two[] = {
	    "type:channel.last", "event:data", NULL};
	static const char *const optional[] = {"t:type", "k:key", NULL};
	static const char *const all[] = {"a:cursor", "b:data", "c:ts", "d:key",
	    "e:type", "f:channel.last", "g:channel", NULL};

	shapes[0] = sse_tagged;
	shapes[1] = sse_raw;
	shapes[2] = envelope_of(two);
	shapes[3] = envelope_of(optional);
	shapes[4] = envelope_of(all);
	shapes[4].names_events = true;
	shapes[5] = sse_tagged;
	shapes[5].names_events = true;
	shapes[6] = sse_raw;
	shapes[6].names_events = false;
}

#endif
