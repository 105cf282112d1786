/*
 * message_scan: is a whole message here, and is it harmless to unpack?
 *
 * Walks the msgpack format (its specification, section "Formats") without
 * unpacking. A peer's count is never believed: an array of n elements needs
 * at least n bytes more, which must fit below max_bytes.
 */
#include <stdint.h>

#include "protocol/message.h"

/* What the first byte of a value says. */
struct shape {
	uint8_t length_bytes; /* bytes of the length or count that follow */
	bool container;       /* what follows is a count of values */
	uint8_t per_count;    /* values per count: 2 for maps */
	uint32_t fixed;       /* length or count when length_bytes is 0, and
			       * bytes besides it for ext */
};

static struct shape
shape_of_fix(uint8_t first)
{
	if (first >= 0x80 && first <= 0x8F)
		return (struct shape){0, true, 2, first & 0x0F};
	if (first >= 0x90 && first <= 0x9F)
		return (struct shape){0, true, 1, first & 0x0F};
	if (first >= 0xA0 && first <= 0xBF)
		return (struct shape){0, false, 0, first & 0x1F};
	return (struct shape){0, false, 0, 0}; /* fixint */
}

/* False for the one byte that msgpack never uses. */
static bool
shape_of(uint8_t first, struct shape *shape)
{
	static const struct shape shapes[0x20] = {
	    [0x00] = {0, false, 0, 0},  /* nil */
	    [0x02] = {0, false, 0, 0},  /* false */
	    [0x03] = {0, false, 0, 0},  /* true */
	    [0x04] = {1, false, 0, 0},  /* bin 8 */
	    [0x05] = {2, false, 0, 0},  /* bin 16 */
	    [0x06] = {4, false, 0, 0},  /* bin 32 */
	    [0x07] = {1, false, 0, 1},  /* ext 8 */
	    [0x08] = {2, false, 0, 1},  /* ext 16 */
	    [0x09] = {4, false, 0, 1},  /* ext 32 */
	    [0x0A] = {0, false, 0, 4},  /* float 32 */
	    [0x0B] = {0, false, 0, 8},  /* float 64 */
	    [0x0C] = {0, false, 0, 1},  /* uint 8 */
	    [0x0D] = {0, false, 0, 2},  /* uint 16 */
	    [0x0E] = {0, false, 0, 4},  /* uint 32 */
	    [0x0F] = {0, false, 0, 8},  /* uint 64 */
	    [0x10] = {0, false, 0, 1},  /* int 8 */
	    [0x11] = {0, false, 0, 2},  /* int 16 */
	    [0x12] = {0, false, 0, 4},  /* int 32 */
	    [0x13] = {0, false, 0, 8},  /* int 64 */
	    [0x14] = {0, false, 0, 2},  /* fixext 1 */
	    [0x15] = {0, false, 0, 3},  /* fixext 2 */
	    [0x16] = {0, false, 0, 5},  /* fixext 4 */
	    [0x17] = {0, false, 0, 9},  /* fixext 8 */
	    [0x18] = {0, false, 0, 17}, /* fixext 16 */
	    [0x19] = {1, false, 0, 0},  /* str 8 */
	    [0x1A] = {2, false, 0, 0},  /* str 16 */
	    [0x1B] = {4, false, 0, 0},  /* str 32 */
	    [0x1C] = {2, true, 1, 0},   /* array 16 */
	    [0x1D] = {4, true, 1, 0},   /* array 32 */
	    [0x1E] = {2, true, 2, 0},   /* map 16 */
	    [0x1F] = {4, true, 2, 0},   /* map 32 */
	};

	if (first == 0xC1)
		return false;
	if (first >= 0xC0 && first <= 0xDF)
		*shape = shapes[first - 0xC0];
	else
		*shape = shape_of_fix(first);
	return true;
}

struct walk {
	const uint8_t *bytes;
	size_t len;
	size_t at;
	uint64_t left[MESSAGE_DEPTH_MAX]; /* values left, per open container */
	uint64_t owed; /* the same over all of them: bytes needed at least */
	int depth;
};

/* Closes every container that is complete. */
static void
walk_value_done(struct walk *walk)
{
	while (walk->depth > 0) {
		if (--walk->left[walk->depth - 1] > 0)
			break;
		walk->depth--;
	}
}

/* The length or count behind the first byte, most significant byte first. */
static uint64_t
walk_length(const struct walk *walk, struct shape shape)
{
	uint64_t length = 0;

	for (size_t i = 0; i < shape.length_bytes; i++)
		length = length << 8 | walk->bytes[walk->at + 1 + i];
	return length;
}

/*
 * One value, or the head of a container. WHOLE: passed; PART: *need more
 * bytes must come from where the value begins; BAD: see *why.
 */
static enum message_scan
walk_value(struct walk *walk, size_t max, uint64_t *need, enum refusal *why)
{
	struct shape shape;
	uint64_t length;

	*need = 1;
	if (walk->at >= walk->len)
		return MESSAGE_PART;
	if (!shape_of(walk->bytes[walk->at], &shape)) {
		*why = REFUSAL_MALFORMED;
		return MESSAGE_BAD;
	}
	*need = 1 + (uint64_t)shape.length_bytes;
	if (walk->len - walk->at < *need)
		return MESSAGE_PART;
	length = walk_length(walk, shape);
	if (!shape.container) {
		*need += length + shape.fixed;
		if (*need > max - walk->at || walk->len - walk->at < *need)
			return MESSAGE_PART;
		walk->at += (size_t)*need;
		walk->owed--;
		walk_value_done(walk);
		return MESSAGE_WHOLE;
	}
	length = (length + shape.fixed) * shape.per_count;
	walk->at += (size_t)*need;
	walk->owed += length;
	walk->owed--;
	*need = 0;
	if (length == 0) {
		walk_value_done(walk);
		return MESSAGE_WHOLE;
	}
	if (walk->depth == MESSAGE_DEPTH_MAX) {
		*why = REFUSAL_TOO_DEEP;
		return MESSAGE_BAD;
	}
	walk->left[walk->depth++] = length;
	return MESSAGE_WHOLE;
}

/* Walks to the end of what is owed; the rest is as for message_scan(). */
static enum message_scan
walk_all(struct walk *walk, size_t max_bytes, size_t *size, enum refusal *why)
{
	while (walk->owed > 0) {
		uint64_t need;
		enum message_scan scan =
		    walk_value(walk, max_bytes, &need, why);

		if (scan == MESSAGE_BAD)
			return scan;
		if (scan == MESSAGE_PART)
			need += walk->at + walk->owed - 1;
		else
			need = walk->at + walk->owed;
		if (need > max_bytes) {
			*why = REFUSAL_TOO_LARGE;
			return MESSAGE_BAD;
		}
		*size = (size_t)need;
		if (scan == MESSAGE_PART)
			return scan;
	}
	*size = walk->at;
	return MESSAGE_WHOLE;
}

enum message_scan
message_scan(const char *bytes, size_t len, size_t max_bytes, size_t *size,
    enum refusal *why)
{
	struct walk walk = {
	    .bytes = (const uint8_t *)bytes, .len = len, .owed = 1};

	return walk_all(&walk, max_bytes, size, why);
}

bool
message_value_valid(const char *bytes, size_t len)
{
	/* As if the message's array were open around it. */
	struct walk walk = {
	    .bytes = (const uint8_t *)bytes,
	    .len = len,
	    .owed = 1,
	    .left = {1},
	    .depth = 1,
	};
	enum refusal why;
	size_t size;

	return walk_all(&walk, len, &size, &why) == MESSAGE_WHOLE &&
	       size == len;
}
