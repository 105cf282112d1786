/* refusals: channels that may not be had, or no longer. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { settle } from './fake_page.js';
import { both, heard, page } from './fixture.js';

both('a channel that is refused tells its users alone', async (broker) => {
    broker.forbidden = ['secret', 'secret:*'];
    const { connection, clock } = page({}, broker);
    const a = heard(connection.channel('a'));
    connection.on('error', () => {});
    /** @type {any[]} */
    const errors = [];
    const tell = (/** @type {any} */ error) => errors.push(error);
    connection.channel('secret').on('error', tell);
    await settle();
    connection.channel('secret:*').subscribe({ error: tell });
    await settle();
    assert.deepEqual(errors.map(({ code, status, channels }) =>
        [code, status, channels]), [
        ['channels-refused', 403, ['secret']],
        ['channels-refused', 403, ['secret:*']]]);
    const count = broker.requests.length;
    await clock.advance(5000);
    assert.equal(broker.requests.length, count);
    broker.stream.cut();
    await clock.advance(1000);
    assert.deepEqual(broker.stream.request.channels, ['a']);
    broker.publish('a', 1);
    await settle();
    assert.deepEqual(a, [1]);
    assert.equal(errors.length, 2);
});

test('when all are refused, others may follow', async () => {
    const { broker, connection, clock } = page();
    connection.on('error', () => {});
    broker.forbidden = ['secret'];
    /** @type {any} */
    let error;
    connection.channel('secret').on('error', (it) => {
        error = it;
    });
    await clock.advance(100000);
    assert.equal(error.code, 'channels-refused');
    assert.equal(broker.requests.length, 1);
    const a = heard(connection.channel('a'));
    await settle();
    broker.publish('a', 1);
    await settle();
    assert.deepEqual(a, [1]);
});

test('what is revoked ends, the rest goes on', async () => {
    const { broker, connection, clock } = page();
    connection.on('error', () => {});
    const a = heard(connection.channel('a'));
    /** @type {any[]} */
    const errors = [];
    for (const name of ['org:1:x', 'org:1:*', 'org:*'])
        connection.channel(name).on('error', () => errors.push(name));
    await settle();
    broker.stream.control('revoked', { channels: ['org:1:*'],
        reason: 'revoked' });
    await settle();
    assert.deepEqual(errors, ['org:1:x', 'org:1:*']);
    broker.stream.cut();
    await clock.advance(1000);
    assert.deepEqual(broker.stream.request.channels, ['a', 'org:*']);
    broker.publish('a', 1);
    await settle();
    assert.deepEqual(a, [1]);
});

test('a stream that the broker has forgotten is opened anew', async () => {
    const { broker, connection } = page();
    const a = heard(connection.channel('a'));
    await settle();
    broker.plans = [() => new Response('{"code":"stream-gone"}',
        { status: 404 })];
    const b = heard(connection.channel('b'));
    await settle();
    broker.publish('a', 1);
    broker.publish('b', 2);
    await settle();
    assert.deepEqual([a, b], [[1], [2]]);
    heard(connection.channel('c'));
    await settle();
    assert.equal(broker.opened.length, 2); // and changed by POST again
});

test('a change that is refused is refused for what it adds', async () => {
    const { problem } = await import('./fake_broker.js');
    const { broker, connection } = page();
    connection.on('error', () => {});
    const a = heard(connection.channel('a'));
    await settle();
    for (const [status, code] of /** @type {[number, string][]} */ ([
        [403, 'channels-refused'], [400, 'channels-too-many']])) {
        broker.plans = [() => problem(status, code)];
        await assert.rejects(connection.channel('b').ready(),
            { code, channels: ['b'] });
    }
    broker.publish('a', 1);
    await settle();
    assert.deepEqual(a, [1]);
    assert.equal(broker.opened.length, 1);
    assert.equal(broker.requests.length, 3);
});

test('when all is revoked, the stream is closed', async () => {
    const { broker, connection } = page();
    connection.on('error', () => {});
    heard(connection.channel('a'));
    await settle();
    broker.stream.control('revoked', { channels: ['*'], reason: 'kicked' });
    await settle();
    assert.equal(broker.live.length, 0);
    assert.equal(connection.state, 'idle');
});

test('a channel that is asked for anew is not left for the old one\'s sake',
    async () => {
        const { broker, connection, clock } = page();
        connection.on('error', () => {});
        heard(connection.channel('b'));
        const stop = connection.channel('a').on('event', () => {});
        await settle();
        stop();
        await clock.advance(500);
        broker.stream.control('revoked', { channels: ['a'] });
        await settle();
        const a = heard(connection.channel('a'));
        await clock.advance(5000);
        broker.publish('a', 1);
        await settle();
        assert.deepEqual(a, [1]);
    });
