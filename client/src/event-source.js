/*
 * event-source: one event stream by the browser's own EventSource. It sees no
 * comments, so nobody notices its silence; its own way of reconnecting is not
 * used, for it stops for ever on any status but 200.
 */
import { problemOf, request, streamUrl } from './request.js';
/** @import {Transport} from './internal.js' */

const NAMES = ['message', 'connected', 'live', 'resync', 'snapshot',
    'subscribed', 'revoked', 'token-expiring', 'bye', 'ping'];

/**
 * Reads the stream to its end. Throws when it could not be opened.
 * @type {Transport}
 */
export async function openByEventSource(settings, asked, sink, signal) {
    const url = streamUrl(settings, asked);
    if (asked.cursor !== undefined)
        url.searchParams.set('lastEventId', asked.cursor);
    const source = new settings.env.EventSource(url,
        { withCredentials: settings.credentials === 'include' });
    signal.addEventListener('abort', () => source.close());
    let last = '';
    for (const name of NAMES) {
        source.addEventListener(name, (/** @type {MessageEvent} */ event) => {
            const id = event.lastEventId;
            sink.message({ name, data: event.data, id, own: id !== last });
            last = id;
        });
    }
    source.onopen = () => sink.alive();
    await new Promise((resolve) => {
        source.onerror = resolve;
    });
    const refused = source.readyState === 2;
    source.close();
    if (!refused)
        return;
    // Why, an EventSource does not tell.
    const response = await request(settings, url, undefined,
        { method: 'HEAD', signal, headers: { Accept: 'text/event-stream' } });
    if (response.status !== 200)
        throw await problemOf(response, settings);
}
