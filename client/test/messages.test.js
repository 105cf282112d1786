/* messages: what comes twice, too late, malformed, or by a strange name. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { settle } from './fake_page.js';
import { listening } from './fixture.js';

test('duplicates are dropped by their cursor', async () => {
    const { broker, clock, events } = await listening();
    broker.publish('a', 1);
    broker.publish('a', 2);
    await settle();
    // A broker that resends more than it was asked for.
    broker.plans = [(/** @type {any} */ request) =>
        broker.openStream({ ...request, last: '0-0' })];
    broker.stream.cut();
    await clock.advance(1000);
    broker.publish('a', 3);
    await settle();
    assert.deepEqual(events, [1, 2, 3]);
});

test('a cursor that means nothing to the broker is left behind', async () => {
    const { broker, clock, events, resyncs, connection } = await listening();
    broker.publish('a', 'old');
    await settle();
    broker.stream.cut();
    broker.log = []; // another store
    broker.plans = [(/** @type {any} */ request) => {
        const answer = broker.openStream({ ...request, last: '900-0' });
        broker.stream.control('resync', { channels: ['a'], reason: 'cursor' });
        return answer;
    }];
    await clock.advance(1000);
    assert.equal(connection.cursor, '900-0');
    broker.stream.cut();
    broker.log = [{ cursor: '950-0', channel: 'a', ts: 1, data: 'new' }];
    await clock.advance(1000);
    assert.equal(broker.opened.at(-1).last, '900-0');
    assert.deepEqual(events, ['old', 'new']);
    assert.deepEqual(resyncs, [{ channels: ['a'], reason: 'cursor' }]);
});

test('history that is gone leaves the cursor where it is', async () => {
    const { broker, clock, events, connection } = await listening();
    broker.publish('a', 1);
    broker.stream.control('resync', { channels: ['a'], reason: 'history' });
    await settle();
    assert.equal(connection.cursor, '1000-1');
    broker.stream.cut();
    await clock.advance(1000);
    assert.equal(broker.opened.at(-1).last, '1000-1');
    assert.deepEqual(events, [1]);
});

test('what the broker says of the stream is told', async () => {
    const { broker, connection, clock } = await listening();
    /** @type {any[]} */
    const told = [];
    for (const name of /** @type {const} */ (['live', 'bye', 'snapshot']))
        connection.on(name, (info) => told.push([name, info]));
    broker.stream.control('snapshot', { channels: ['a'] });
    broker.stream.control('bye', { reason: 'drain' });
    await clock.advance(1000);
    assert.deepEqual(told, [['snapshot', { channels: ['a'] }],
        ['bye', { reason: 'drain' }], ['live', { cursor: '0-0' }]]);
});

test('what is malformed is reported and skipped', async () => {
    const { broker, connection, events } = await listening();
    /** @type {any[]} */
    const malformed = [];
    connection.on('malformed', ({ message }) => malformed.push(message.data));
    ['{', '7', '{}', '{"channel":1}'].forEach((data, at) =>
        broker.stream.write(`id: 1000-${at + 1}\ndata: ${data}\n\n`));
    broker.stream.write('event: ping\ndata: whatever\n\n');
    broker.stream.give({ cursor: '1000-9', channel: 'a', data: 'good' });
    await settle();
    assert.deepEqual(malformed, ['{', '7', '{}', '{"channel":1}']);
    assert.deepEqual(events, ['good']);
});

test('what decode makes without a channel is malformed, too', async () => {
    const { broker, connection, events } = await listening({ decode: (
        /** @type {any} */ { data }) => data === 'skip' ? null :
            data === 'bad' ? { data } : { channel: 'a', data } });
    let malformed = 0;
    connection.on('malformed', () => malformed++);
    for (const data of ['skip', 'bad', 'good'])
        broker.stream.write(`data: ${data}\n\n`);
    await settle();
    assert.deepEqual([malformed, events, broker.requests.length],
        [1, ['good'], 1]);
});

test('an event that is named like a control event is an event', async () => {
    const { broker, events } = await listening();
    broker.stream.write('id: 1000-1\nevent: bye\n' +
        'data: {"channel":"a","data":1}\n\n');
    await settle();
    assert.deepEqual(events, [1]);
    assert.equal(broker.live.length, 1);
});
