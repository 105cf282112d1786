/* zstd_block: what blocks say of themselves. See zstd_block.h. */
#include "broker/worker/cursor/zstd_block.h"

enum {
	LITERALS_COMPRESSED = 2,
	LITERALS_TREELESS = 3, /* by the table of a block before */
	MODE_REPEAT = 3,       /* the same of sequences */
};

/* A number of so many bytes, the lowest first; -1: there are not so many. */
static int64_t
read_number(struct slice from, size_t bytes)
{
	int64_t number = 0;

	if (from.len < bytes)
		return -1;
	for (size_t i = bytes; i-- > 0;)
		number = number << 8 | (unsigned char)from.bytes[i];
	return number;
}

static bool
skip(struct slice *left, size_t len)
{
	if (left->len < len)
		return false;
	*left = slice_of(left->bytes + len, left->len - len);
	return true;
}

bool
zstd_block_next(struct slice *left, struct zstd_block *block)
{
	int64_t head = read_number(*left, ZSTD_BLOCK_HEAD_BYTES);
	size_t len;

	if (head < 0)
		return false;
	block->last = (head & 1) != 0;
	block->type = (enum zstd_block_type)(head >> 1 & 3);
	block->size = (uint32_t)(head >> 3);
	len = block->type == ZSTD_BLOCK_RUN ? 1 : block->size;
	skip(left, ZSTD_BLOCK_HEAD_BYTES);
	block->inside = slice_of(left->bytes, len);
	return block->type != ZSTD_BLOCK_RESERVED &&
	       block->size <= ZSTD_BLOCK_MAX && skip(left, len);
}

void
zstd_block_write_head(
    char head[ZSTD_BLOCK_HEAD_BYTES], enum zstd_block_type type, size_t size)
{
	size_t number = size << 3 | (size_t)type << 1;

	for (int i = 0; i < ZSTD_BLOCK_HEAD_BYTES; i++)
		head[i] = (char)(number >> 8 * i & 0xFF);
}

/* Bytes of a section of literals, its head included; -1: it is cut. */
static int64_t
literals_len(struct slice inside)
{
	static const uint8_t stored_head[] = {1, 2, 1, 3};
	static const uint8_t packed_head[] = {3, 3, 4, 5};
	static const uint8_t size_bits[] = {10, 10, 14, 18};
	int64_t number = read_number(inside, 1);
	int type = (int)(number & 3), form = (int)(number >> 2 & 3);
	bool packed = type >= LITERALS_COMPRESSED;
	size_t head;

	if (number < 0)
		return -1;
	head = packed ? packed_head[form] : stored_head[form];
	number = read_number(inside, head);
	if (number < 0)
		return -1;
	if (packed) /* the size of the text, and then that of the section */
		return (int64_t)head + (number >> (4 + size_bits[form]) &
					   ((1 << size_bits[form]) - 1));
	return (int64_t)head +
	       (type == 1 ? 1 : number >> (form % 2 == 0 ? 3 : 4));
}

struct tables {
	bool literals;
	bool sequences;
};

/* Does a compressed block bring what is not there yet? Then that is there. */
static bool
take_tables(struct slice inside, struct tables *there)
{
	int64_t len = literals_len(inside), count;
	int type, modes;

	if (len < 0)
		return false;
	type = inside.bytes[0] & 3;
	if (type == LITERALS_TREELESS && !there->literals)
		return false;
	if (type == LITERALS_COMPRESSED)
		there->literals = true;
	if (!skip(&inside, (size_t)len) || (count = read_number(inside, 1)) < 0)
		return false;
	if (count == 0)
		return true;
	if (!skip(&inside, count < 128   ? 1
			   : count < 255 ? 2
					 : 3) ||
	    (modes = (int)read_number(inside, 1)) < 0)
		return false;
	if (!there->sequences &&
	    (modes >> 6 == MODE_REPEAT || (modes >> 4 & 3) == MODE_REPEAT ||
		(modes >> 2 & 3) == MODE_REPEAT))
		return false;
	there->sequences = true;
	return true;
}

bool
zstd_block_have_tables(struct slice blocks)
{
	struct tables there = {false, false};
	struct zstd_block block = {.last = false};

	while (!block.last) {
		if (!zstd_block_next(&blocks, &block))
			return false;
		if (block.type == ZSTD_BLOCK_COMPRESSED &&
		    !take_tables(block.inside, &there))
			return false;
	}
	return blocks.len == 0;
}
