/* streams: which stream a path belongs to. See streams.h. */
#include "broker/worker/stream/streams.h"

#include "broker/worker/worker_state.h"

const struct config_stream *
streams_find(const struct worker *worker, struct slice path)
{
	const struct config *config = worker->config;

	for (size_t i = 0; i < config->stream_count; i++) {
		if (slice_equal(config->streams[i].path, path))
			return &config->streams[i];
	}
	return NULL;
}

const struct config_stream *
streams_find_poke(const struct worker *worker, struct slice path)
{
	const struct config *config = worker->config;

	for (size_t i = 0; i < config->stream_count; i++) {
		if (path.len > 0 && slice_is(path, config->streams[i].poke))
			return &config->streams[i];
	}
	return NULL;
}

const struct config_stream *
streams_find_stats(const struct worker *worker, struct slice path)
{
	const struct config *config = worker->config;

	for (size_t i = 0; i < config->stream_count; i++) {
		if (path.len > 0 && slice_is(path, config->streams[i].stats))
			return &config->streams[i];
	}
	return NULL;
}

const struct config_stream *
streams_find_open(
    const struct worker *worker, struct slice path, struct slice *id)
{
	const char *slash =
	    path.len > 0 ? memrchr(path.bytes, '/', path.len) : NULL;
	size_t len;

	if (slash == NULL)
		return NULL;
	len = (size_t)(slash - path.bytes);
	*id = slice_of(slash + 1, path.len - len - 1);
	/* The stream "/" has its ids behind the same slash. */
	return streams_find(worker, slice_of(path.bytes, len > 0 ? len : 1));
}
