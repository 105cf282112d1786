/*
 * fake_broker: a broker in memory, behind a fetch(). It has a log and streams
 * on it as ssemux-http(7) says, and does what a test asks: breaks streams,
 * refuses, keeps silent. `changes` says whether it changes live streams.
 */
import { isAfter } from '../src/cursor.js';
import { covers } from '../src/patterns.js';

const encoder = new TextEncoder();

/** One stream, as the broker sees it. */
class FakeStream {
    /** @param {any} request */
    constructor(request) {
        this.request = request;
        this.channels = new Set(request.channels);
        this.open = true;
        this.body = new ReadableStream({
            start: (controller) => {
                this.controller = controller;
            },
            cancel: () => this.gone(),
        });
        request.signal?.addEventListener('abort', () => {
            if (this.open)
                this.controller?.error(new Error('aborted'));
            this.gone();
        });
    }

    gone() {
        this.open = false;
    }

    /** Bytes of the stream. @param {string} text */
    write(text) {
        if (this.open)
            this.controller?.enqueue(encoder.encode(text));
    }

    /** @param {string} name @param {any} info */
    control(name, info) {
        this.write(`event: ${name}\ndata: ${JSON.stringify(info)}\n\n`);
    }

    /** As the broker ends a stream. */
    end() {
        if (this.open)
            this.controller?.close();
        this.gone();
    }

    /** As the network does. */
    cut() {
        if (this.open)
            this.controller?.error(new Error('reset'));
        this.gone();
    }

    /** @param {any} event */
    give(event) {
        const { cursor, ...rest } = event;
        if ([...this.channels].some((each) => covers(each, event.channel)))
            this.write(`id: ${cursor}\ndata: ${JSON.stringify(rest)}\n\n`);
    }
}

export class FakeBroker {
    /** @type {any[]} */
    log = [];
    /** @type {FakeStream[]} */
    streams = [];
    /** Every request there was. @type {any[]} */
    requests = [];
    /** What happens to the next ones, instead of what is usual: a function of
     * the request that returns a Response, or throws. @type {any[]} */
    plans = [];
    /** Does it change live streams? "renews": it knows the request, but only
     * looks at the token. @type {boolean | 'renews'} */
    changes = true;
    /** Does it say what was subscribed in the stream, too? */
    tells = true;
    /** Does it say when a stream has caught up? */
    marks = true;
    /** Channels of which it keeps the latest event of each key. */
    keeps = new Set();
    /** Does a snapshot end? Else it stops behind its first event. */
    ends = true;
    retry = 0;
    heartbeat = 15;
    /** Patterns that nobody may subscribe to. @type {string[]} */
    forbidden = [];

    /** Streams that are open now. */
    get live() {
        return this.streams.filter(({ open }) => open);
    }

    get stream() {
        const stream = this.live.at(-1);
        if (!stream)
            throw new Error('no stream is open');
        return stream;
    }

    /** Requests for streams. */
    get opened() {
        return this.requests.filter(({ method }) => method === 'GET');
    }

    get head() {
        return this.log.at(-1)?.cursor ?? '0-0';
    }

    /** @param {string} channel @param {any} [data] @param {string} [type]
     * @param {string} [key] */
    publish(channel, data = {}, type = undefined, key = undefined) {
        const event = { cursor: `1000-${this.log.length + 1}`, channel, type,
            key, ts: 1000, data };
        this.log.push(event);
        this.live.forEach((stream) => stream.give(event));
        return event.cursor;
    }

    /** @param {URL | string} url @param {any} init */
    fetch = async (url, init) => {
        const { pathname, searchParams } = new URL(url);
        const headers = new Headers(init.headers);
        const request = {
            url: String(url), method: init.method ?? 'GET', path: pathname,
            channels: searchParams.get('channels')?.split(',') ?? [],
            since: searchParams.get('since'), last: headers.get('Last-Event-ID') ??
                searchParams.get('lastEventId'),
            token: headers.get('Authorization'), signal: init.signal,
            body: init.body,
        };
        this.requests.push(request);
        if (init.signal?.aborted)
            throw new Error('aborted');
        const plan = this.plans.shift();
        if (plan)
            return plan(request);
        return request.method === 'POST' ? this.change(request) :
            this.openStream(request);
    };

    /** @param {any} request */
    openStream(request) {
        const allowed = request.channels.filter((/** @type {string} */ name) =>
            !this.forbidden.includes(name));
        if (request.channels.length && !allowed.length)
            return problem(403, 'channels-refused', 'none is allowed');
        const stream = new FakeStream({ ...request, channels: allowed });
        this.streams.push(stream);
        const start = request.last ?? (request.since === '-1' ? '0-0' :
            this.head);
        if (this.retry)
            stream.write(`retry: ${this.retry}\n`);
        stream.control('connected', { stream: 'S' + this.streams.length,
            channels: allowed, refused: request.channels.filter(
                (/** @type {string} */ name) => this.forbidden.includes(name)),
            cursor: request.last || !this.kept(allowed).length ? start : null,
            heartbeat: this.heartbeat });
        if (!request.last && !this.snapshot(stream, allowed))
            return answer(stream);
        for (const event of this.log.filter(({ cursor }) =>
            isAfter(cursor, start)))
            stream.give(event);
        if (this.marks)
            stream.control('live', { cursor: this.head });
        return answer(stream);
    }

    /** Of these channels the latest event of each key, in their order.
     * @param {string[]} channels */
    kept(channels) {
        const events = this.log.filter(({ channel }) =>
            this.keeps.has(channel) && channels.includes(channel));
        return events.filter(({ channel, key }, at) => !events.slice(at + 1)
            .some((later) => later.channel === channel && later.key === key));
    }

    /** Has it come to its end? @param {FakeStream} stream
     * @param {string[]} channels */
    snapshot(stream, channels) {
        const events = this.kept(channels);
        if (!events.length)
            return true;
        stream.control('snapshot', { channels });
        for (const { cursor, ...event } of this.ends ? events :
            events.slice(0, 1))
            stream.write('data: ' + JSON.stringify({ ...event,
                snapshot: true }) + '\n\n');
        if (this.ends)
            stream.control('live', { cursor: this.head });
        return this.ends;
    }

    /** @param {any} request */
    change(request) {
        const stream = this.live.find((_, at) =>
            request.path.endsWith('/S' + (this.streams.indexOf(
                this.live[at]) + 1)));
        if (!this.changes)
            return problem(405, 'method', 'the path has no such method');
        if (!stream)
            return problem(404, 'stream-gone', 'there is no such stream');
        const { subscribe = [], unsubscribe = [] } = JSON.parse(
            this.changes === true ? request.body ?? '{}' : '{}');
        const refused = subscribe.filter((/** @type {string} */ name) =>
            this.forbidden.includes(name));
        for (const name of subscribe)
            refused.includes(name) || stream.channels.add(name);
        unsubscribe.forEach((/** @type {string} */ name) =>
            stream.channels.delete(name));
        const answer = { channels: [...stream.channels], refused };
        if (subscribe.length && this.tells)
            stream.control('subscribed', answer);
        this.snapshot(stream, subscribe);
        return Response.json ? Response.json(answer) :
            new Response(JSON.stringify(answer));
    }
}

/** @param {FakeStream} stream */
function answer(stream) {
    return new Response(stream.body, { headers: {
        'Content-Type': 'text/event-stream' } });
}

/**
 * A refusal.
 * @param {number} status @param {string} code @param {string} [detail]
 * @param {Record<string, string>} [headers]
 */
export function problem(status, code, detail = code, headers = {}) {
    return new Response(JSON.stringify({ status, code, detail }), { status,
        headers: { 'Content-Type': 'application/problem+json', ...headers } });
}
