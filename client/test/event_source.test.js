/* event_source: the browser's own EventSource as transport, a fake one. */
import assert from 'node:assert/strict';
import test from 'node:test';
import '../src/event-source.js'; // else it is loaded while a clock stands still
import { connect } from '../src/index.js';
import { createParser } from '../src/parser.js';
import { FakeBroker, problem } from './fake_broker.js';
import { FakePage, settle } from './fake_page.js';

/** @param {any} broker */
function eventSourceOf(broker) {
    return class extends EventTarget {
        readyState = 0;
        /** @type {any} */
        onerror;
        /** @type {any} */
        onopen;
        over = new AbortController();

        /** @param {URL} url @param {any} options */
        constructor(url, options) {
            super();
            broker.options = options;
            this.read(url).then(() => this.fail(0), () => this.fail(0));
        }

        /** @param {URL} url */
        async read(url) {
            const { signal } = this.over;
            const answer = await broker.fetch(url, { signal });
            if (answer.status !== 200) {
                this.fail(2);
                return;
            }
            this.onopen();
            const parser = createParser({ message: ({ name, data, id }) =>
                this.dispatchEvent(Object.assign(new Event(name),
                    { data, lastEventId: id })) });
            for await (const bytes of answer.body)
                parser.feed(bytes);
        }


        /** @param {number} state */
        fail(state) {
            if (this.readyState === 2)
                return;
            this.readyState = state;
            this.onerror(new Event('error'));
        }

        close() {
            this.readyState = 2;
            this.over.abort();
        }
    };
}

/** @param {any} [options] */
async function open(options = {}, broker = new FakeBroker()) {
    const env = /** @type {any} */ (new FakePage(broker));
    env.EventSource = eventSourceOf(broker);
    const connection = connect('/stream',
        { env, transport: 'eventsource', ...options });
    /** @type {any[][]} */
    const [events, errors, malformed] = [[], [], []];
    connection.on('malformed', (it) => malformed.push(it));
    connection.on('error', (error) => errors.push(error));
    connection.channel('a').on('event', ({ data }) => events.push(data));
    await settle();
    return { broker, clock: env.clock, connection, events, errors,
        malformed };
}

test('it resumes at the cursor, by the query', async () => {
    const { broker, clock, events, connection, malformed } = await open();
    assert.equal(connection.state, 'open');
    broker.publish('a', 1);
    await settle();
    broker.stream.cut();
    broker.publish('a', 2);
    await clock.advance(1000);
    assert.deepEqual(events, [1, 2]);
    assert.equal(malformed.length, 0);
    assert.equal(broker.live.length, 1);
    assert.ok(broker.requests[1].url.endsWith('&lastEventId=1000-1'));
});

test('events have their cursor, and none comes twice', async () => {
    const { broker, clock, events, connection } = await open();
    broker.publish('a', 1);
    await settle();
    assert.equal(connection.cursor, '1000-1');
    broker.plans = [(/** @type {any} */ request) =>
        broker.openStream({ ...request, last: '0-0' })];
    broker.stream.cut();
    await clock.advance(1000);
    assert.deepEqual(events, [1]);
});

test('it has no watchdog, for it does not hear the heartbeat', async () => {
    const { broker, clock, errors } = await open();
    await clock.advance(3600_000);
    assert.equal(broker.requests.length, 1);
    assert.deepEqual(errors, []);
});

test('a refusal is final, with its code', async () => {
    const broker = new FakeBroker();
    broker.plans = [() => problem(401, 'token-missing'),
        () => problem(401, 'token-missing')];
    const { errors, connection } = await open({}, broker);
    assert.deepEqual(errors.map(({ status, final }) => [status, final]),
        [[401, true]]);
    assert.equal(connection.state, 'closed');
    assert.deepEqual(broker.requests.map(({ method }) => method),
        ['GET', 'HEAD']);
});

test('what passes is tried again', async () => {
    const broker = new FakeBroker();
    broker.plans = [() => problem(502, 'bad'), () => problem(502, 'bad')];
    const { clock } = await open({}, broker);
    await clock.advance(1000);
    assert.equal(broker.live.length, 1);
});

test('bye ends it, and it comes back', async () => {
    const { broker, clock, events } = await open();
    broker.stream.control('bye', { reason: 'drain' });
    await settle();
    assert.equal(broker.live.length, 0);
    broker.publish('a', 1);
    await clock.advance(1000);
    assert.deepEqual(events, [1]);
});

test('with a token, the header is needed', async () => {
    const { broker } = await open({ token: 'x' });
    assert.equal(broker.requests[0].token, 'Bearer x');
});

test('who does not want it, or has none, does without', async () => {
    const unwanted = await open({ transport: 'fetch' });
    assert.equal(/** @type {any} */ (unwanted.broker).options, undefined);
    assert.equal(unwanted.broker.live.length, 1);
    const broker = new FakeBroker();
    const env = new FakePage(broker);
    connect('/stream', { env, transport: 'eventsource' })
        .channel('a').on('event', () => {});
    await settle();
    assert.equal(broker.live.length, 1);
});

test('who closes while it is loaded has none afterwards', async () => {
    const broker = new FakeBroker();
    const env = /** @type {any} */ (new FakePage(broker));
    env.EventSource = eventSourceOf(broker);
    const connection = connect('/stream', { env, transport: 'eventsource' });
    connection.channel('a').on('event', () => {});
    for (let turn = 0; turn < 6; turn++)
        await null; // it has no token to wait for
    connection.close();
    await settle();
    assert.equal(broker.live.length, 0);
});

test('cookies of another origin go along where asked for', async () => {
    const { broker } = await open({ credentials: 'include' });
    assert.deepEqual(/** @type {any} */ (broker).options,
        { withCredentials: true });
});
