/* retention: rules of channels. See retention.h. */
#include "broker/hub/retention.h"

#include <inttypes.h>

#include "broker/shared/config_channel.h"
#include "broker/shared/siphash.h"
#include "protocol/buf.h"

/* Without bounds of its own; CONFIG_AUTO is beyond any number. */
_Static_assert(CONFIG_AUTO == UINT64_MAX, "auto bounds nothing");

bool
retention_find(struct retention *retention, const struct config *config,
    struct slice channel)
{
	const struct config_channel *block;

	if (config == NULL || config->channel_count == 0)
		return false;
	block = config_channel_find(config, channel);
	if (block == NULL)
		return false;
	*retention = (struct retention){
	    .keep = block->keep,
	    .exempt = block->keep == CONFIG_KEEP_NONE ||
		      block->max_events != CONFIG_AUTO ||
		      block->max_bytes != CONFIG_AUTO,
	    .max_age_ms = block->max_age != CONFIG_AUTO
			      ? block->max_age
			      : config->history_max_age,
	    .max_events = block->max_events,
	    .max_bytes = block->max_bytes,
	};
	return block->keep != CONFIG_KEEP_ALL ||
	       block->max_age != CONFIG_AUTO || retention->exempt;
}

bool
retention_over(const struct retention *retention, uint64_t accepted_ms,
    uint64_t now_ms, uint64_t events, uint64_t bytes)
{
	return retention->keep == CONFIG_KEEP_NONE ||
	       events > retention->max_events || bytes > retention->max_bytes ||
	       (accepted_ms < now_ms &&
		   now_ms - accepted_ms > retention->max_age_ms);
}

uint64_t
retention_due(const struct retention *retention, uint64_t oldest_ms,
    uint64_t events, uint64_t bytes)
{
	if (retention_over(retention, oldest_ms, oldest_ms, events, bytes))
		return 0;
	return oldest_ms + retention->max_age_ms + 1;
}

uint64_t
retention_fingerprint(const struct config *config)
{
	static const unsigned char key[SIPHASH_KEY_BYTES];
	struct buf text;
	uint64_t print;

	if (config == NULL || config->channel_count == 0)
		return 0;
	buf_init(&text, 0);
	buf_printf(&text, "%" PRIu64, config->history_max_age);
	for (size_t i = 0; i < config->channel_count; i++) {
		const struct config_channel *block = &config->channels[i];

		buf_printf(&text, "\n%s %d %" PRIu64 " %" PRIu64 " %" PRIu64,
		    block->block.name, (int)block->keep, block->max_age,
		    block->max_events, block->max_bytes);
	}
	print = siphash(key, slice_of(buf_bytes(&text), buf_length(&text)));
	/* Without memory for the text: as if the rules were other ones. */
	if (buf_failed(&text))
		print = 0;
	buf_finish(&text);
	return print >> 1 | 1;
}
