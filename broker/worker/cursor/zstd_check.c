/* zstd_check: decodes behind the worst. See zstd_check.h. */
#include "broker/worker/cursor/zstd_check.h"

#include <stdint.h>
#include <stdlib.h>
#include <zstd.h>

#include "broker/worker/cursor/zstd_block.h"

enum {
	FILLER = 0xFF,
	FILLER_BITS_MAX = 17, /* N is a power of two, and at most one block */
	MATCH_MIN = 3,
	SEQUENCES = 3,
	/* Of the frame here, so that every offset is in it. */
	WINDOW_1_MIB = (20 - 10) << 3,
	SET_UP_BYTES = 64, /* at most: what stands before `before` */
	BLOCKS_MAX = ZSTD_CHECK_TEXT_MAX + 1024,
};

_Static_assert((1 << FILLER_BITS_MAX) == ZSTD_BLOCK_MAX, "it is a run");
_Static_assert(ZSTD_CHECK_BEFORE_MAX + ZSTD_CHECK_TEXT_MAX + SEQUENCES + 1 <=
		   (1 << FILLER_BITS_MAX),
    "there is filler enough for the longest");

struct zstd_check {
	ZSTD_DCtx *decoder;
	size_t len; /* of the frame */
	char frame[SET_UP_BYTES + ZSTD_CHECK_BEFORE_MAX + BLOCKS_MAX];
	char out[(1 << FILLER_BITS_MAX) + SEQUENCES * MATCH_MIN +
		 ZSTD_CHECK_BEFORE_MAX + ZSTD_CHECK_TEXT_MAX];
};

struct zstd_check *
zstd_check_create(void)
{
	struct zstd_check *check = calloc(1, sizeof(*check));

	if (check == NULL)
		return NULL;
	check->decoder = ZSTD_createDCtx();
	if (check->decoder == NULL) {
		free(check);
		return NULL;
	}
	return check;
}

void
zstd_check_destroy(struct zstd_check *check)
{
	if (check == NULL)
		return;
	ZSTD_freeDCtx(check->decoder);
	free(check);
}

static void
put(struct zstd_check *check, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(check->frame + check->len, bytes, len);
	check->len += len;
}

static void
put_head(struct zstd_check *check, enum zstd_block_type type, size_t size)
{
	zstd_block_write_head(check->frame + check->len, type, size);
	check->len += ZSTD_BLOCK_HEAD_BYTES;
}

/* log2(N) */
static unsigned
filler_bits(size_t text_len, size_t before_len)
{
	size_t least = before_len + text_len + SEQUENCES + 1;
	unsigned bits = 2;

	while ((size_t)1 << bits < least)
		bits++;
	return bits;
}

/*
 * A block of three sequences, without literals, whose tables are runs: all have
 * offsets with as many bits, N-3 to N-1 (each is written as 3 more), no
 * literals, and the shortest match. The bits of the offsets stand behind a 1,
 * the first of them highest.
 */
static void
put_hostile(struct zstd_check *check, unsigned bits)
{
	const char head[] = {0, SEQUENCES, 0x54, 0, (char)bits, 0};
	uint64_t offsets = 1;
	char bytes[sizeof(offsets)];
	size_t len = 0;

	for (unsigned i = 0; i < SEQUENCES; i++)
		offsets = offsets << bits | i;
	for (; offsets != 0; offsets >>= 8)
		bytes[len++] = (char)(offsets & 0xFF);
	put_head(check, ZSTD_BLOCK_COMPRESSED, sizeof(head) + len);
	put(check, head, sizeof(head));
	put(check, bytes, len);
}

static void
put_frame(struct zstd_check *check, struct slice blocks, struct slice before,
    unsigned bits)
{
	static const unsigned char head[] = {
	    0x28, 0xB5, 0x2F, 0xFD, 0, WINDOW_1_MIB};
	static const unsigned char filler = FILLER;

	check->len = 0;
	put(check, head, sizeof(head));
	put_head(check, ZSTD_BLOCK_RUN, (size_t)1 << bits);
	put(check, &filler, 1);
	put_hostile(check, bits);
	put_head(check, ZSTD_BLOCK_RAW, before.len);
	put(check, before.bytes, before.len);
	put(check, blocks.bytes, blocks.len);
}

bool
zstd_check_sound(struct zstd_check *check, struct slice blocks,
    struct slice text, struct slice before)
{
	unsigned bits = filler_bits(text.len, before.len);
	size_t skipped =
	    ((size_t)1 << bits) + (size_t)SEQUENCES * MATCH_MIN + before.len;
	size_t got;

	if (text.len == 0 || text.len > ZSTD_CHECK_TEXT_MAX ||
	    before.len > ZSTD_CHECK_BEFORE_MAX || blocks.len > BLOCKS_MAX ||
	    memchr(text.bytes, FILLER, text.len) != NULL ||
	    !zstd_block_have_tables(blocks))
		return false;
	put_frame(check, blocks, before, bits);
	got = ZSTD_decompressDCtx(check->decoder, check->out,
	    sizeof(check->out), check->frame, check->len);
	return got == skipped + text.len &&
	       memcmp(check->out + skipped, text.bytes, text.len) == 0;
}
