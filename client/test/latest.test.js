/* latest: the last event of each key, for all users on a page. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { latestOf } from '../src/latest.js';
import { FakeBroker } from './fake_broker.js';
import { settle } from './fake_page.js';
import { page } from './fixture.js';

/** A page, and a broker that keeps the latest of "b": keys x and y. */
function shop() {
    const broker = new FakeBroker();
    broker.keeps.add('b');
    for (const [key, data] of [['x', 1], ['y', 2], ['x', 3]])
        broker.publish('b', data, undefined, String(key));
    return page({}, broker);
}

/** @param {import('../src/latest.js').Latest} latest */
const held = ({ events }) => events.map(({ key, data }) => [key, data]);

test('who comes later has what the first one got', async () => {
    const { broker, connection } = shop();
    const first = latestOf(connection, 'b');
    await settle();
    const later = latestOf(connection, 'b');
    assert.equal(later, first);
    assert.deepEqual(held(later), [['y', 2], ['x', 3]]);
    assert.equal(later.get('x')?.snapshot, true);
    broker.publish('b', 4, undefined, 'y');
    broker.publish('b', 'no key');
    broker.publish('b', 'a strange one', undefined, 'undefined');
    await settle();
    assert.deepEqual([later.get('y')?.data, later.get()?.data,
        later.get('z')], [4, 'no key', undefined]);
    assert.equal(broker.requests.length, 1);
});

test('a change is told once for all events of a moment', async () => {
    const { broker, connection } = shop();
    const latest = latestOf(connection, 'b');
    await settle();
    let [one, two] = [0, 0];
    const stop = latest.subscribe(() => one++);
    latest.subscribe(() => two++);
    const before = latest.events;
    assert.equal(latest.events, before); // as useSyncExternalStore wants it
    broker.stream.write(['x', 'y'].map((key, at) => `id: 2000-${at}\ndata: ` +
        JSON.stringify({ channel: 'b', key, data: 5 }) + '\n\n').join(''));
    await settle();
    assert.deepEqual([one, two], [1, 1]);
    assert.notEqual(latest.events, before);
    stop();
    broker.stream.give({ cursor: '2000-2', channel: 'b', key: 'x', data: 6 });
    await settle();
    assert.deepEqual([one, two], [1, 2]);
});

test('a listener that throws harms nobody else', async (t) => {
    const global = /** @type {any} */ (globalThis);
    const { reportError } = global;
    /** @type {any[]} */
    const reported = [];
    global.reportError = (/** @type {any} */ error) => reported.push(error);
    t.after(() => Object.assign(global, { reportError }));
    const { broker, connection } = shop();
    const latest = latestOf(connection, 'b');
    await settle();
    let told = 0;
    latest.subscribe(() => {
        throw new Error('mine');
    });
    latest.subscribe(() => told++);
    broker.publish('b', 4, undefined, 'x');
    await settle();
    assert.deepEqual([reported.length, told], [1, 1]);
});

test('channels of a pattern have keys of their own', async () => {
    const { broker, connection } = page();
    const latest = latestOf(connection, 'shop:*');
    await latest.ready();
    for (const channel of ['shop:1', 'shop:2'])
        broker.publish(channel, channel, undefined, 'x');
    await settle();
    assert.equal(latest.events.length, 2);
    assert.equal(latest.get('x', 'shop:2')?.data, 'shop:2');
});

test('of another log nothing old is left; other losses leave it alone',
    async () => {
        const { broker, connection } = shop();
        const latest = latestOf(connection, 'b');
        await settle();
        broker.stream.control('resync', { channels: ['b'],
            reason: 'publisher' });
        await settle();
        assert.equal(latest.events.length, 2);
        let told = 0;
        latest.subscribe(() => told++);
        broker.stream.control('resync', { channels: ['b'], reason: 'cursor' });
        await settle();
        assert.deepEqual([latest.events.length, told], [0, 1]);
    });

test('it holds the channel until it is closed; the next begins anew',
    async () => {
        const { broker, connection, clock } = shop();
        const latest = latestOf(connection, 'b');
        const stop = latest.subscribe(() => {});
        await settle();
        stop();
        await clock.advance(5000);
        assert.equal(broker.live.length, 1);
        latest.close();
        await clock.advance(1000);
        assert.equal(broker.live.length, 0);
        assert.equal(latest.events.length, 2);
        const next = latestOf(connection, 'b');
        assert.notEqual(next, latest);
        await settle();
        assert.deepEqual(held(next), [['y', 2], ['x', 3]]);
    });

test('who is refused may ask again', async () => {
    const { broker, connection } = shop();
    connection.on('error', () => {});
    broker.forbidden = ['b'];
    const refused = latestOf(connection, 'b');
    await assert.rejects(refused.ready(), { code: 'channels-refused' });
    broker.forbidden = [];
    const next = latestOf(connection, 'b');
    assert.notEqual(next, refused);
    await settle();
    assert.equal(next.events.length, 2);
});
