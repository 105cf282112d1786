/* handles: a channel as iterator, observable and emitter. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../src/index.js';
import { FakeBroker } from './fake_broker.js';
import { FakePage, settle } from './fake_page.js';

/** @param {any} [options] */
function open(options = {}) {
    const broker = new FakeBroker();
    const env = new FakePage(broker);
    const connection = connect('/stream', { env, ...options });
    return { broker, clock: env.clock, connection,
        handle: connection.channel('a') };
}

test('an iterator gets every event from its beginning on', async () => {
    const { broker, handle } = open();
    const events = handle[Symbol.asyncIterator]();
    await settle();
    broker.publish('a', 1);
    broker.publish('a', 2);
    await settle();
    const seen = [(await events.next()).value.data,
        (await events.next()).value.data];
    const next = events.next();
    broker.publish('a', 3);
    seen.push((await next).value.data);
    assert.deepEqual(seen, [1, 2, 3]);
});

test('break leaves the channel', async () => {
    const { broker, clock, handle } = open();
    setImmediate(async () => {
        await settle();
        broker.publish('a', 1);
    });
    for await (const { data } of handle) {
        assert.equal(data, 1);
        break;
    }
    await clock.advance(1000);
    assert.equal(broker.live.length, 0);
});

test('close ends iterators after what has come, and readers that wait',
    async () => {
        const { broker, handle, connection } = open();
        const events = handle[Symbol.asyncIterator]();
        const other = connection.channel('b')[Symbol.asyncIterator]();
        const waiting = other.next();
        await settle();
        broker.publish('a', 1);
        await settle();
        connection.close();
        assert.equal((await events.next()).value.data, 1);
        assert.equal((await events.next()).done, true);
        assert.equal((await waiting).done, true);
        assert.equal((await other.next()).done, true);
    });

test('an error comes out of the iterator, once', async () => {
    const { broker, handle, connection } = open();
    connection.on('error', () => {});
    broker.plans = [() => new Response('{"code":"token-missing"}',
        { status: 401 })];
    const events = handle[Symbol.asyncIterator]();
    await assert.rejects(events.next(), { code: 'token-missing', status: 401 });
    assert.equal((await events.next()).done, true);
});

test('an iterator that lags too far is told, and the others are not',
    async () => {
        const { broker, clock, handle, connection } = open({ buffer: 3 });
        const slow = handle[Symbol.asyncIterator]();
        const alone = connection.channel('*')[Symbol.asyncIterator]();
        let count = 0;
        handle.on('event', () => count++);
        await settle();
        for (let n = 0; n < 5; n++)
            broker.publish('a', n);
        await clock.advance(5000);
        for (let n = 0; n < 3; n++)
            assert.equal((await slow.next()).value.data, n);
        await assert.rejects(slow.next(), { code: 'buffer-full' });
        assert.deepEqual([...broker.stream.channels], ['a']);
        assert.equal((await alone.next()).value.data, 0);
        assert.equal(count, 5);
    });

test('an observable: next, unsubscribe, complete, error', async () => {
    const { broker, handle, connection } = open();
    /** @type {any[]} */
    const said = [];
    const one = handle.subscribe((event) => said.push(event.data));
    const two = handle.subscribe({ next: (event) => said.push(-event.data),
        complete: () => said.push('complete') });
    await settle();
    broker.publish('a', 1);
    await settle();
    one.unsubscribe();
    assert.equal(one.closed, true);
    broker.publish('a', 2);
    await settle();
    connection.close();
    assert.equal(two.closed, true);
    assert.deepEqual(said, [1, -1, -2, 'complete']);
    handle.subscribe({ complete: () => said.push('late') });
    await settle();
    assert.equal(said.at(-1), 'late');
});

test('others recognise it as an observable', () => {
    const { handle } = open();
    const any = /** @type {any} */ (handle);
    assert.equal(any['@@observable'](), handle);
    const key = /** @type {any} */ (Symbol).observable;
    /** @type {any} */ (Symbol).observable ??= Symbol('observable');
    const later = /** @type {any} */ (open().handle);
    assert.equal(later[/** @type {any} */ (Symbol).observable](), later);
    if (key === undefined)
        delete (/** @type {any} */ (Symbol).observable);
});

test('a listener that throws harms nobody else', async () => {
    const { broker, handle } = open();
    /** @type {any[]} */
    const thrown = [];
    const { reportError } = globalThis;
    globalThis.reportError = (error) => thrown.push(error.message);
    let count = 0;
    handle.on('event', () => {
        throw new Error('mine');
    });
    handle.on('event', () => count++);
    await settle();
    broker.publish('a', 1);
    broker.publish('a', 2);
    await settle();
    globalThis.reportError = reportError;
    assert.equal(count, 2);
    assert.deepEqual(thrown, ['mine', 'mine']);
});

test('a listener may take itself and others away', async () => {
    const { broker, handle } = open();
    /** @type {string[]} */
    const said = [];
    const one = handle.on('event', () => {
        said.push('one');
        one();
        two();
    });
    const two = handle.on('event', () => said.push('two'));
    await settle();
    broker.publish('a');
    broker.publish('a');
    await settle();
    assert.deepEqual(said, ['one']);
});

test('the end of a handle ends its uses and nobody else\'s', async () => {
    const { broker, handle, connection } = open();
    /** @type {string[]} */
    const said = [];
    handle.on('event', () => said.push('mine'));
    handle.subscribe({ complete: () => said.push('complete') });
    connection.channel('a').on('event', () => said.push('other'));
    await settle();
    handle.close();
    broker.publish('a');
    await settle();
    assert.deepEqual(said, ['complete', 'other']);
});

test('ready fails when the channel is refused, or the end has come',
    async () => {
        const { broker, handle, connection } = open();
        connection.on('error', () => {});
        broker.forbidden = ['a'];
        await assert.rejects(handle.ready(), { code: 'channels-refused' });
        const waiting = connection.channel('b').ready();
        connection.close();
        await assert.rejects(waiting, { code: 'closed' });
    });
