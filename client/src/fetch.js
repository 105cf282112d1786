/*
 * fetch: one event stream by fetch().
 */
import { createParser } from './parser.js';
import { problemOf, request, streamUrl } from './request.js';
/** @import {Transport} from './internal.js' */

/**
 * Reads the stream to its end. Throws when it could not be opened.
 * @type {Transport}
 */
export async function openByFetch(settings, asked, sink, signal) {
    const response = await request(settings, streamUrl(settings, asked),
        asked.token, { signal, headers: { Accept: 'text/event-stream',
            'Last-Event-ID': asked.cursor } });
    const type = /** @type {any} */ (response.headers.get('Content-Type'));
    if (response.status !== 200 || !/^text\/event-stream/i.test(type))
        throw await problemOf(response, settings);
    const parser = createParser(sink);
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body)
        .getReader();
    for (;;) {
        const { done, value } = await reader.read();
        if (done || signal.aborted)
            return;
        sink.alive();
        parser.feed(value);
    }
}
