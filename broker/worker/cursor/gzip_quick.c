/* gzip_quick: deflate by ISA-L. See gzip_quick.h. */
#include "broker/worker/cursor/gzip_quick.h"

#include <assert.h>
#include <stdlib.h>

#if !defined(SSEMUX_NO_ISAL) && __has_include(<isa-l/igzip_lib.h>)

#include <isa-l/igzip_lib.h>

enum {
	FIXED_LEVEL = 1, /* fixed codes for all */
	LONG = 4096,     /* bytes of text that codes of its own are worth */
	ROOM_LEFT = 16,  /* bytes that it may leave for what it has to flush */
};

struct gzip_quick {
	int level;
	enum coder_aim aim;
	struct isal_zstream fixed;
	struct isal_zstream own; /* with codes of the text's own */
	uint8_t own_work[ISAL_DEF_LVL1_SMALL];
};

bool
gzip_quick_is_there(void)
{
	return true;
}

struct gzip_quick *
gzip_quick_create(int level)
{
	struct gzip_quick *quick = calloc(1, sizeof(*quick));

	if (quick == NULL)
		return NULL;
	quick->level = level;
	isal_deflate_init(&quick->fixed);
	quick->fixed.flush = SYNC_FLUSH;
	isal_deflate_set_hufftables(
	    &quick->fixed, NULL, IGZIP_HUFFTABLE_STATIC);
	isal_deflate_init(&quick->own);
	quick->own.flush = SYNC_FLUSH;
	quick->own.level = 1;
	quick->own.level_buf = quick->own_work;
	quick->own.level_buf_size = sizeof(quick->own_work);
	return quick;
}

void
gzip_quick_destroy(struct gzip_quick *quick)
{
	free(quick);
}

void
gzip_quick_aim(struct gzip_quick *quick, enum coder_aim aim)
{
	quick->aim = aim;
}

size_t
gzip_quick_compress(struct gzip_quick *quick, char *room, size_t size,
    struct slice text, struct slice before)
{
	struct isal_zstream *stream = quick->level > FIXED_LEVEL &&
					      quick->aim == CODER_SAVES_BYTES &&
					      text.len >= LONG
					  ? &quick->own
					  : &quick->fixed;
	int result = COMP_OK;

	isal_deflate_reset(stream);
	if (before.len > 0)
		result = isal_deflate_set_dict(stream,
		    (uint8_t *)(uintptr_t)before.bytes, (uint32_t)before.len);
	assert(result == COMP_OK);
	stream->next_in = (uint8_t *)(uintptr_t)text.bytes;
	stream->avail_in = (uint32_t)text.len;
	stream->next_out = (uint8_t *)room;
	stream->avail_out = (uint32_t)size;
	result = isal_deflate(stream);
	assert(result == COMP_OK);
	/* Room that is left says that the flush is done. */
	return stream->avail_out >= ROOM_LEFT ? size - stream->avail_out : 0;
}

#else

bool
gzip_quick_is_there(void)
{
	return false;
}

struct gzip_quick *
gzip_quick_create(int level)
{
	(void)level;
	return NULL;
}

void
gzip_quick_destroy(struct gzip_quick *quick)
{
	(void)quick;
}

void
gzip_quick_aim(struct gzip_quick *quick, enum coder_aim aim)
{
	(void)quick;
	(void)aim;
}

size_t
gzip_quick_compress(struct gzip_quick *quick, char *room, size_t size,
    struct slice text, struct slice before)
{
	(void)quick;
	(void)room;
	(void)size;
	(void)text;
	(void)before;
	return 0;
}

#endif
