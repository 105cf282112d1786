/* coder: what all codings have in common. See coder.h. */
#include "broker/worker/cursor/coder.h"

#include <stdlib.h>

#include "broker/worker/cursor/coder_form.h"
#include "protocol/buf.h"

struct coder {
	const struct coder_form *form;
	void *compressor;
};

static const struct coder_form *const forms[CODING_COUNT] = {
    [CODING_GZIP] = &gzip_form,
#ifndef SSEMUX_NO_ZSTD
    [CODING_ZSTD] = &zstd_form,
#endif
};

struct coder *
coder_create(enum coding coding, int level)
{
	struct coder *coder = calloc(1, sizeof(*coder));

	if (coder == NULL)
		return NULL;
	coder->form = forms[coding];
	coder->compressor = coder->form->create(level);
	if (coder->compressor == NULL) {
		free(coder);
		return NULL;
	}
	return coder;
}

void
coder_destroy(struct coder *coder)
{
	if (coder == NULL)
		return;
	coder->form->destroy(coder->compressor);
	free(coder);
}

unsigned
coder_price(const struct coder *coder)
{
	return coder->form->price(coder->compressor);
}

void
coder_aim(struct coder *coder, enum coder_aim aim)
{
	if (coder->form->aim != NULL)
		coder->form->aim(coder->compressor, aim);
}

void
coder_append_head(enum coding coding, struct buf *out)
{
	forms[coding]->append_head(out);
}

void
coder_append(struct coder *coder, struct buf *out, struct slice text,
    struct slice before)
{
	const struct coder_form *form = coder->form;
	size_t len = 0, size = form->stored_len(text.len);
	char *room;

	if (text.len > CODER_TEXT_MAX) {
		form->append_stored(out, text);
		return;
	}
	room = buf_reserve(out, size);
	if (room == NULL)
		return;
	if (before.len > CODER_BEFORE_MAX)
		before = slice_of(before.bytes + before.len - CODER_BEFORE_MAX,
		    CODER_BEFORE_MAX);
	len = form->compress(coder->compressor, room, size, text, before);
	if (len > 0)
		buf_commit(out, len);
	else
		form->append_stored(out, text);
}

void
coder_append_stored(enum coding coding, struct buf *out, struct slice text)
{
	forms[coding]->append_stored(out, text);
}

void
coder_append_end(
    enum coding coding, struct buf *out, const struct coder_sum *sum)
{
	forms[coding]->append_end(out, sum);
}

void
coder_sum_add(enum coding coding, struct coder_sum *sum, struct slice text)
{
	const struct coder_form *form = forms[coding];

	if (form->checksum != NULL)
		sum->checksum = form->checksum(sum->checksum, text);
	sum->bytes += (uint32_t)text.len;
}

void
coder_sum_join(
    enum coding coding, struct coder_sum *sum, const struct coder_sum *next)
{
	const struct coder_form *form = forms[coding];

	if (form->join != NULL)
		sum->checksum = form->join(sum->checksum, next);
	sum->bytes += next->bytes;
}
