/*
 * zstd_check: do these blocks (RFC 8878) bring that text in every stream? Pure.
 *
 * Blocks that several streams share are made once, by a compressor that begins
 * anew. But a decoder that comes to them does not begin anew. Of what came
 * before, it has
 *
 *   1. what it has decoded,
 *   2. three repeat offsets,
 *   3. a Huffman table of literals, and three tables of sequences.
 *
 * Where blocks make use of it, the client gets wrong bytes, and nobody an
 * error. A compressor that begins anew has no tables, and nothing decoded but
 * the text before that it was given. But it takes the repeat offsets for those
 * that a frame begins with, 1, 4 and 8: text with a short period is enough. So
 * all blocks are checked, against all three, whoever made them:
 *
 * 3. is read off the headers. The first of the blocks that has Huffman-coded
 *    literals must bring their table, and so must the first that has sequences
 *    all three of theirs. Then literals and sequences are the same in every
 *    stream, and what is left is what their offsets point to. Each is a number;
 *    or one of the three repeat offsets from before, or the first of these less
 *    one, and so on when it is used again. The latter is called inherited.
 *
 * 1. and 2. are found out by decoding the blocks once, here:
 *
 *	| filler: N bytes 0xFF | 9 more | before | text |
 *
 *    The nine come from a block of three sequences, whose offsets, N-3 to N-1,
 *    are the repeat offsets behind it; N is at least before + text + 4. The
 *    text has no 0xFF. (What has one is not sound: UTF-8 has none.)
 *
 *    The first sequence with an inherited offset has one of N-4 to N-1. That is
 *    more than `before` and what is out of the text, and no more than all there
 *    is: so it points into the filler or the nine, and the first byte that it
 *    brings is 0xFF. An offset that is a number and points farther back than to
 *    `before` brings 0xFF, too, or is an error. In all these cases what comes
 *    out is not the text.
 *
 *    So where it is, no offset is inherited, and each sequence copies from
 *    `before` and from the text, by a number: and by induction over sequences
 *    that comes out the same in every stream that has `before` there.
 */
#ifndef SSEMUX_WORKER_CURSOR_ZSTD_CHECK_H
#define SSEMUX_WORKER_CURSOR_ZSTD_CHECK_H

#include <stdbool.h>

#include "protocol/slice.h"

struct zstd_check;

enum {
	ZSTD_CHECK_TEXT_MAX = 65536,
	ZSTD_CHECK_BEFORE_MAX = 4096,
};

/* Memory for any number of checks, about 400 kB. NULL: no memory. */
struct zstd_check *zstd_check_create(void);
void zstd_check_destroy(struct zstd_check *check);

/*
 * Do the blocks, of which the last and no other says that it is the last, bring
 * the text in every stream whose text right before them ends with `before`?
 * Both texts are within their bounds, and the blocks no longer than the text
 * and 1024 bytes; else they do not.
 */
bool zstd_check_sound(struct zstd_check *check, struct slice blocks,
    struct slice text, struct slice before);

#endif
