/*
 * config_settle: what no line of the configuration alone can tell. See
 * config_loader.h.
 *
 * Presets that depend on other settings are filled in, the stream that is
 * there by itself is made, and contradictions are found: everything that
 * would be the first client's trouble.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/shared/config_block.h"
#include "broker/shared/config_channel.h"
#include "broker/shared/config_loader.h"
#include "protocol/event.h"

#define FAIL(loader, stream, member, ...) \
	fail_key(loader, stream, CONFIG_STREAM_INDEX_##member, __VA_ARGS__)
#define fail_key(loader, stream, index, ...) \
	config_block_fail(loader, &config_block_kinds[CONFIG_BLOCK_STREAM], \
	    &(stream)->block, index, __VA_ARGS__)

/* --- presets that depend on others --- */

static bool
needs_token(const struct config *config)
{
	return config->auth_mode != CONFIG_AUTH_MODE_NONE;
}

static void
fill_presets(const struct config *config, struct config_stream *stream)
{
	if (stream->access == CONFIG_ACCESS_AUTO)
		stream->access = needs_token(config)
				     ? CONFIG_ACCESS_AUTHENTICATED
				     : CONFIG_ACCESS_PUBLIC;
	if (stream->heartbeat_interval == CONFIG_AUTO)
		stream->heartbeat_interval = config->http_heartbeat;
}

/* /stream is there by itself; without tokens, whoever comes may have all. */
static int
add_own_stream(struct config_loader *loader)
{
	struct config *config = loader->config;
	const struct config_block_kind *kind =
	    &config_block_kinds[CONFIG_BLOCK_STREAM];
	const struct config_setting *allow =
	    &config_stream_settings[CONFIG_STREAM_INDEX_allow];

	for (size_t i = 0; i < config->stream_count; i++) {
		if (slice_is(config->streams[i].path, "/stream"))
			return 0;
	}
	loader->override = NULL;
	loader->line = 0;
	loader->key = slice_of(NULL, 0);
	if (config_block_enter(loader, kind, slice_of_text("/stream")) == -1)
		return -1;
	if (needs_token(config))
		return 0;
	return allow->type->read(
	    allow, slice_of_text("*"), (char *)loader->block + allow->offset);
}

/* --- contradictions --- */

static bool
has_claim(const struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strchr(list->items[i], '{') != NULL)
			return true;
	}
	return false;
}

/* Nobody's claims are known on a public stream. */
static int
check_public(struct config_loader *loader, const struct config_stream *stream)
{
	static const char sentence[] =
	    "a public stream looks at no token, and so has no {claims}";

	if (stream->access != CONFIG_ACCESS_PUBLIC)
		return 0;
	if (stream->channels.count + stream->allow.count +
		stream->default_channels.count ==
	    0)
		return FAIL(loader, stream, allow,
		    "a public stream needs channels, allow or default");
	if (stream->block.lines[CONFIG_STREAM_INDEX_access] == 0)
		return 0;
	if (has_claim(&stream->channels))
		return FAIL(loader, stream, channels, "%s", sentence);
	if (has_claim(&stream->allow))
		return FAIL(loader, stream, allow, "%s", sentence);
	if (has_claim(&stream->default_channels))
		return FAIL(loader, stream, default_channels, "%s", sentence);
	if (has_claim(&stream->types))
		return FAIL(loader, stream, types, "%s", sentence);
	return 0;
}

/* Two parameters of one name: which one is meant? */
static int
check_parameters(
    struct config_loader *loader, const struct config_stream *stream)
{
	static const size_t indexes[] = {CONFIG_STREAM_INDEX_query_channels,
	    CONFIG_STREAM_INDEX_query_since, CONFIG_STREAM_INDEX_query_types,
	    CONFIG_STREAM_INDEX_query_keys, CONFIG_STREAM_INDEX_query_format,
	    CONFIG_STREAM_INDEX_query_live, CONFIG_STREAM_INDEX_query_window,
	    CONFIG_STREAM_INDEX_query_limit,
	    CONFIG_STREAM_INDEX_query_conflate};
	const char *const names[] = {stream->query_channels,
	    stream->query_since, stream->query_types, stream->query_keys,
	    stream->query_format, stream->query_live, stream->query_window,
	    stream->query_limit, stream->query_conflate};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (size_t j = 0; j < i; j++) {
			if (names[i][0] == '\0' ||
			    strcmp(names[i], names[j]) != 0)
				continue;
			return fail_key(loader, stream, indexes[i],
			    "got \"%s\", which is %s already", names[i],
			    config_stream_settings[indexes[j]].key);
		}
	}
	return 0;
}

static int
check_poke(struct config_loader *loader, const struct config_stream *stream)
{
	const char *channel = stream->poke_channel.items[0];

	struct event event = {
	    .channel = slice_of_text("a"), /* the real one has claims */
	    .type = slice_of_text(stream->poke_type),
	    .data = slice_of_text(stream->poke_data),
	};
	struct fault fault =
	    event_check(&event, EVENT_GUESS, loader->config->publish_max_event);

	if (strchr(channel, '*') != NULL)
		return FAIL(loader, stream, poke_channel,
		    "got \"%s\", expected a channel and no pattern", channel);
	if (stream->poke[0] == '\0' || fault.refusal == REFUSAL_NONE)
		return 0;
	if (fault.field != NULL && strcmp(fault.field, "type") == 0)
		return FAIL(loader, stream, poke_type, "%s",
		    refusal_sentence(fault.refusal));
	return FAIL(
	    loader, stream, poke_data, "%s", refusal_sentence(fault.refusal));
}

/* --- who has which path --- */

struct claim {
	const struct config_stream *stream;
	size_t index; /* of the key */
	const char *path;
	const char *key; /* for people */
};

/* The paths that a stream claims: its own, and those of its keys. */
static size_t
claims_of(const struct config_stream *stream, struct claim claims[3])
{
	size_t count = 0;

	claims[count++] = (struct claim){
	    stream, CONFIG_STREAM_INDEX_access, stream->block.name, "its path"};
	if (stream->poke[0] != '\0')
		claims[count++] = (struct claim){
		    stream, CONFIG_STREAM_INDEX_poke, stream->poke, "its poke"};
	if (stream->stats[0] != '\0')
		claims[count++] = (struct claim){stream,
		    CONFIG_STREAM_INDEX_stats, stream->stats, "its stats"};
	return count;
}

/* Of two claims to one path, the one that comes from a key is at fault. */
static int
fail_claim(struct config_loader *loader, const struct claim *claim,
    const struct claim *other)
{
	if (claim->index == CONFIG_STREAM_INDEX_access) {
		const struct claim *swapped = claim;

		claim = other;
		other = swapped;
	}
	return fail_key(loader, claim->stream, claim->index,
	    "got \"%s\", which [stream %.80s] has as %s", claim->path,
	    other->stream->block.name, other->key);
}

static int
check_paths(struct config_loader *loader)
{
	const struct config *config = loader->config;
	struct claim claims[3 * CONFIG_STREAMS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < config->stream_count; i++)
		count += claims_of(&config->streams[i], &claims[count]);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(claims[i].path, claims[j].path) == 0)
				return fail_claim(
				    loader, &claims[i], &claims[j]);
		}
	}
	return 0;
}

/* --- shapes --- */

/* The number of a shape; equal ones share it. */
static unsigned
number_shape(struct config *config, const struct sse_shape *shape)
{
	unsigned i = 0;

	while (i < config->shape_count &&
	       !sse_shape_equal(&config->shapes[i], shape))
		i++;
	if (i == config->shape_count && i < CONFIG_SHAPES_MAX)
		config->shapes[config->shape_count++] = *shape;
	return i < CONFIG_SHAPES_MAX ? i : CONFIG_SHAPE_NONE;
}

static bool
names_events(const struct config_stream *stream, enum sse_format format)
{
	return stream->name_events == CONFIG_NAME_EVENTS_AUTO
		   ? format == SSE_RAW
		   : stream->name_events == CONFIG_NAME_EVENTS_ON;
}

static struct sse_shape
make_shape(const struct config_stream *stream, enum sse_format format)
{
	struct sse_shape shape = {
	    .format = format, .names_events = names_events(stream, format)};

	for (size_t i = 0; format == SSE_ENVELOPE && i < stream->envelope.count;
	     i++)
		(void)sse_shape_add_field(
		    &shape, slice_of_text(stream->envelope.items[i]));
	return shape;
}

/* May a client of the stream have this format? */
static bool
has_format(const struct config_stream *stream, enum sse_format format)
{
	if (format == stream->format)
		return true;
	if (stream->query_format[0] == '\0')
		return false;
	return format != SSE_ENVELOPE || stream->envelope.count > 0;
}

static int
number_shapes(struct config_loader *loader, struct config_stream *stream)
{
	if (stream->format == SSE_ENVELOPE && stream->envelope.count == 0)
		return FAIL(loader, stream, format,
		    "the format envelope needs envelope = NAME:SOURCE, ...");
	for (int i = 0; i < SSE_FORMAT_COUNT; i++) {
		enum sse_format format = (enum sse_format)i;
		struct sse_shape shape = make_shape(stream, format);

		stream->shapes[format] = CONFIG_SHAPE_NONE;
		if (!has_format(stream, format))
			continue;
		stream->shapes[format] = number_shape(loader->config, &shape);
		if (stream->shapes[format] == CONFIG_SHAPE_NONE)
			return FAIL(loader, stream, envelope,
			    "expected %d ways to write events at most, "
			    "in all streams",
			    CONFIG_SHAPES_MAX);
	}
	return 0;
}

static int
settle_stream(struct config_loader *loader, struct config_stream *stream)
{
	fill_presets(loader->config, stream);
	if (check_public(loader, stream) == -1 ||
	    check_parameters(loader, stream) == -1 ||
	    check_poke(loader, stream) == -1)
		return -1;
	return number_shapes(loader, stream);
}

int
config_settle(struct config_loader *loader)
{
	struct config *config = loader->config;

	config->shapes = calloc(CONFIG_SHAPES_MAX, sizeof(config->shapes[0]));
	if (config->shapes == NULL)
		return config_fail(loader, "no memory");
	if (add_own_stream(loader) == -1)
		return -1;
	number_shape(config, &sse_tagged);
	number_shape(config, &sse_raw);
	for (size_t i = 0; i < config->stream_count; i++) {
		if (settle_stream(loader, &config->streams[i]) == -1)
			return -1;
	}
	if (check_paths(loader) == -1)
		return -1;
	return config_channel_settle(loader);
}
