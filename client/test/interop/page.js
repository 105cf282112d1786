/* page: the clients of browsers, to be bundled and run in a page. */
import { fetchEventSource } from '@microsoft/fetch-event-source';
import { EventSourcePolyfill } from 'event-source-polyfill';
import ReconnectingEventSource from 'reconnecting-eventsource';
import { Listener, remake } from './clients.js';

/** Its types have no default. */
const Reconnecting = /** @type {any} */ (ReconnectingEventSource);

/** @type {Record<string, (record: Listener) => any>} */
const CLIENTS = {
    // It sets no headers: the token is in the query.
    native: (record) => remake(record, () => new EventSource(record.with({
        access_token: record.token, lastEventId: record.last }))),

    // Goes on after a 401 by itself, and sends the page's cookie.
    reconnecting(record) {
        const bake = async () => {
            await record.renew();
            document.cookie = `session=${record.token}; path=/`;
        };
        if (record.token)
            document.cookie = `session=${record.token}; path=/`;
        const source = new Reconnecting(record.url, { max_retry_time: 300 });
        record.listen(source, bake);
        source.addEventListener('bye', (/** @type {any} */ { data }) => {
            if (JSON.parse(data).reason === 'token-expired')
                bake();
        });
    },

    // Resumes by ?lastEventId=.
    polyfill: (record) => remake(record, () => new EventSourcePolyfill(
        record.with({ lastEventId: record.last }),
        { headers: record.bearer }),
    (event) => event.status === 401),

    // After a clean end it would never come back.
    fetchEventSource(record) {
        fetchEventSource(record.url, {
            headers: record.bearer,
            fetch: (input, init) => fetch(input, { ...init,
                headers: { .../** @type {any} */ (init?.headers),
                    ...record.bearer } }),
            async onopen(response) {
                if (response.status === 401) {
                    record.refused();
                    await record.renew();
                }
                if (!response.ok)
                    throw new Error('not yet');
            },
            onmessage({ event, data, id }) {
                record.hear(event || 'message', data, id);
                if (event === 'token-expiring' && !record.late)
                    record.renew();
            },
        });
    },
};

/** @type {any} */ (globalThis).start = async (/** @type {any} */ plan) => {
    /** @type {any} */
    const records = {};
    for (const [name, begin] of Object.entries(CLIENTS)) {
        records[name] = new Listener(plan);
        await records[name].renew();
        begin(records[name]);
    }
    /** @type {any} */ (globalThis).records = records;
};
