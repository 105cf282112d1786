/*
 * requests: where streams start and end, and what options make of the request.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../src/index.js';
import { FakeBroker } from './fake_broker.js';
import { FakePage, settle } from './fake_page.js';
import { heard, page } from './fixture.js';

test('since goes into the first request only', async () => {
    const broker = new FakeBroker();
    broker.publish('a', 'old');
    const { connection, clock } = page({ since: '-1' }, broker);
    const a = heard(connection.channel('a'));
    await settle();
    broker.stream.cut();
    await clock.advance(1000);
    assert.deepEqual(a, ['old']);
    assert.deepEqual(broker.opened.map(({ since, last }) => [since, last]),
        [['-1', null], [null, '1000-1']]);
});

test('the URL keeps its query, and parameters have the block\'s names',
    async () => {
        const broker = new FakeBroker();
        const env = new FakePage(broker);
        const connection = connect('/s?live=true&x=%26', { env, since: '-1m',
            parameters: { channels: 'topics', since: 'offset' } });
        heard(connection.channel('a:*'));
        await settle();
        const { searchParams } = new URL(broker.requests[0].url);
        assert.deepEqual([...searchParams], [['live', 'true'], ['x', '&'],
            ['topics', 'a:*'], ['offset', '-1m']]);
    });

test('a stream whose block says the channels is not asked for any',
    async () => {
        const { broker, connection } = page({ fixed: true, decode: (
            /** @type {any} */ { data }) => data === 'sync' ?
                { channel: 'pokes', type: 'sync' } : null });
        const got = heard(connection.channel('pokes'), 'sync');
        heard(connection.channel('other'));
        broker.plans = [(/** @type {any} */ request) => {
            const answer = broker.openStream({ ...request, channels: [] });
            return new Response(answer.body, answer);
        }];
        await settle();
        assert.ok(!broker.requests[0].url.includes('?'));
        broker.stream.write('data: connected\n\ndata: ping\n\ndata: sync\n\n');
        await settle();
        assert.equal(got.length, 1);
        heard(connection.channel('third'));
        await settle();
        assert.equal(broker.requests.length, 1);
    });

test('a channel of such a stream that is used later gets its events, too',
    async () => {
        const { broker, connection, clock } = page({ fixed: true,
            decode: (/** @type {any} */ { data }) => ({ channel: data }) });
        broker.marks = false;
        const say = (/** @type {string} */ id, /** @type {string} */ channel) =>
            broker.stream.write(`id: ${id}\ndata: ${channel}\n\n`);
        heard(connection.channel('a'), 'event');
        await settle();
        const b = heard(connection.channel('b'), 'event');
        await settle();
        say('1000-1', 'b');
        await settle();
        assert.equal(b.length, 1);
        // It may be wanted while there is no stream.
        broker.stream.cut();
        await settle();
        const c = heard(connection.channel('c'), 'event');
        await clock.advance(1000);
        say('1000-2', 'c');
        await settle();
        assert.equal(c.length, 1);
        assert.equal(broker.opened.length, 2);
        assert.equal(broker.requests.length, 2);
    });

test('so does one that is added where the broker says little', async () => {
    const { broker, connection, clock } = page();
    Object.assign(broker, { marks: false, changes: false });
    heard(connection.channel('a'));
    await settle();
    const b = heard(connection.channel('b'));
    await clock.advance(1000);
    broker.publish('b', 1);
    await settle();
    assert.deepEqual(b, [1]);
    assert.equal(broker.live.length, 1);
});

test('a stream that says nothing of itself stands with its first sign of life',
    async () => {
        const { broker, connection, clock } = page({ fixed: true,
            heartbeat: 0 });
        broker.plans = [() => new Response(new ReadableStream({
            start(controller) {
                controller.enqueue(new TextEncoder().encode(':\n'));
            },
        }), { headers: { 'Content-Type': 'text/event-stream' } })];
        await connection.channel('a').ready();
        assert.equal(connection.state, 'open');
        connection.channel('a').on('event', () => {});
        await clock.advance(3600_000); // nor has it a heartbeat
        assert.equal(broker.requests.length, 1);
    });

test('live=false: everything there is, then the end', async () => {
    const { broker, connection } = page({ since: '-1' });
    broker.publish('a', 1);
    broker.publish('a', 2);
    const seen = [];
    setImmediate(() => setImmediate(async () => {
        await settle();
        broker.stream.write('retry: 1\n');
        broker.stream.control('bye', { reason: 'end' });
        broker.stream.end();
    }));
    for await (const { data } of connection.channel('a'))
        seen.push(data);
    assert.deepEqual(seen, [1, 2]);
    assert.equal(connection.state, 'closed');
});

test('the cursor may outlive the page', async () => {
    const broker = new FakeBroker();
    const rows = new Map();
    const storage = { getItem: (/** @type {string} */ key) => rows.get(key),
        setItem: (/** @type {string} */ key, /** @type {string} */ value) =>
            rows.set(key, value) };
    const first = page({ storage }, broker);
    heard(first.connection.channel('a'));
    await settle();
    broker.publish('a', 1);
    await first.clock.advance(1000);
    broker.publish('a', 2);
    await settle();
    first.connection.close();
    broker.publish('a', 3);
    await first.clock.advance(1000);
    const second = page({ storage }, broker);
    const a = heard(second.connection.channel('a'));
    await settle();
    assert.deepEqual(a, [3]);
});

test('what comes behind the last event that was heard is not counted', async () => {
    const rows = new Map();
    const { broker, connection } = page({ storage: {
        getItem: (/** @type {string} */ key) => rows.get(key),
        setItem: (/** @type {string} */ key, /** @type {string} */ value) =>
            rows.set(key, value) } });
    connection.channel('a').on('event', () => connection.close());
    await settle();
    broker.stream.write('id: 1000-1\ndata: {"channel":"a"}\n\n' +
        'id: 1000-2\ndata: {"channel":"a"}\n\n');
    await settle();
    assert.deepEqual([...rows.values()], ['1000-1']);
    assert.equal(connection.cursor, '1000-1');
});

test('a storage that is full harms nothing', async (t) => {
    /** @type {any[]} */
    const reported = [];
    const global = /** @type {any} */ (globalThis);
    const { reportError } = global;
    global.reportError = (/** @type {any} */ error) => reported.push(error);
    t.after(() => Object.assign(global, { reportError }));
    const { broker, connection } = page({ storage: { getItem: () => null,
        setItem() {
            throw new Error('full');
        } } });
    const a = heard(connection.channel('a'));
    await settle();
    broker.publish('a', 1);
    await settle();
    broker.publish('a', 2);
    await settle();
    assert.deepEqual(a, [1, 2]);
    assert.equal(broker.opened.length, 1);
    assert.ok(reported.length >= 2);
});

test('with a storage the cursor outlives idleness, too', async () => {
    const rows = new Map();
    const { broker, connection, clock } = page({ storage: {
        getItem: (/** @type {string} */ key) => rows.get(key),
        setItem: (/** @type {string} */ key, /** @type {string} */ value) =>
            rows.set(key, value) } });
    const stop = connection.channel('a').on('event', () => {});
    await settle();
    broker.publish('a', 1);
    await settle();
    stop();
    await clock.advance(1000);
    broker.publish('a', 2);
    const a = heard(connection.channel('a'));
    await settle();
    assert.deepEqual(a, [2]);
});

test('events are a success, where a block says nothing at the start',
    async () => {
        const { broker, connection, clock, env } = page({ fixed: true,
            first: 1000 });
        heard(connection.channel('a'));
        const bare = () => new Response('data: {"channel":"a"}\n\n',
            { headers: { 'Content-Type': 'text/event-stream' } });
        broker.plans = [bare, bare, bare, bare];
        env.dice = Array(9).fill(0.999);
        await settle();
        for (let turn = 1; turn < 4; turn++) {
            await clock.advance(999);
            assert.equal(broker.opened.length, turn + 1);
        }
    });
