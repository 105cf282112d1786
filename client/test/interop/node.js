/*
 * node: the clients of Node. Its argument is the plan; it answers each line of
 * its input with all that the clients have heard, and ends with it.
 */
import { createInterface } from 'node:readline';
import { EventSource } from 'eventsource';
import { createParser } from 'eventsource-parser';
import { Listener, remake } from './clients.js';

/** @type {Record<string, (record: Listener) => any>} */
const CLIENTS = {
    // Its fetch is where a token goes; anew, the last id goes there, too.
    eventsource: (record) => remake(record, () => new EventSource(record.url, {
        fetch: (input, init) => fetch(input, { ...init,
            headers: { ...(record.last && { 'Last-Event-ID': record.last }),
                ...init.headers, ...record.bearer } }) }),
    ({ code }) => code === 401),

    // No more than a parser: asking again is its user's.
    async parser(record) {
        let retry = 1000;
        const parser = createParser({
            onEvent({ event, data, id }) {
                record.hear(event ?? 'message', data, id);
                if (event === 'token-expiring' && !record.late)
                    record.renew();
            },
            onRetry(ms) {
                retry = ms;
            },
        });
        for (;;) {
            await once(record, parser).catch(() => {});
            parser.reset();
            await new Promise((resolve) => setTimeout(resolve, retry));
        }
    },
};

/** One stream. @param {Listener} record @param {any} parser */
async function once(record, parser) {
    const { status, body } = await fetch(record.url, { headers: {
        Accept: 'text/event-stream', ...record.bearer,
        ...(record.last && { 'Last-Event-ID': record.last }) } });
    if (status === 401) {
        record.refused();
        await record.renew();
    } else if (status === 200) {
        const decoder = new TextDecoder();
        for await (const bytes of /** @type {any} */ (body))
            parser.feed(decoder.decode(bytes, { stream: true }));
    }
}

/** @type {any} */
const records = {};
for (const [name, begin] of Object.entries(CLIENTS)) {
    records[name] = new Listener(JSON.parse(process.argv[2]));
    await records[name].renew();
    begin(records[name]);
}
for await (const _line of createInterface({ input: process.stdin }))
    console.log(JSON.stringify(records));
process.exit();
