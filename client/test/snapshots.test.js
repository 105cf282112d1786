/* snapshots: channels that keep the latest event of each key. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { settle } from './fake_page.js';
import { heard, page } from './fixture.js';

/** A page, and a broker that keeps the latest of "b": two keys.
 * @param {any} [options] */
function shop(options = {}) {
    const made = page(options);
    const { broker } = made;
    broker.keeps.add('b');
    for (const [key, data] of [['x', 1], ['y', 2], ['x', 3]])
        broker.publish('b', data, undefined, String(key));
    return made;
}

const asked = (/** @type {any} */ broker) => broker.opened.map(
    (/** @type {any} */ { channels, last }) => [channels.join(), last]);

test('a snapshot comes first, and says so', async () => {
    const { broker, connection } = shop();
    /** @type {any[][]} */
    const [events, notices] = [[], []];
    connection.on('snapshot', ({ channels }) => notices.push(channels));
    connection.channel('b').on('event', (event) => events.push(event));
    await settle();
    broker.publish('b', 4, undefined, 'y');
    await settle();
    assert.deepEqual(events.map(({ key, data, snapshot, cursor }) =>
        [key, data, snapshot, cursor]), [['y', 2, true, ''],
        ['x', 3, true, ''], ['y', 4, undefined, '1000-4']]);
    assert.deepEqual(notices, [['b']]);
});

test('one that breaks off comes again, from its beginning', async () => {
    const { broker, connection, clock } = shop();
    const b = heard(connection.channel('b'));
    broker.ends = false;
    await settle();
    assert.deepEqual(b.splice(0), [2]);
    broker.ends = true;
    broker.stream.cut();
    await clock.advance(1000);
    assert.deepEqual(b, [2, 3]);
    assert.deepEqual(asked(broker), [['b', null], ['b', null]]);
});

test('a channel that is added brings its own', async () => {
    const { broker, connection } = shop();
    heard(connection.channel('a'));
    await settle();
    const b = heard(connection.channel('b'));
    await settle();
    assert.deepEqual(b, [2, 3]);
    assert.equal(broker.opened.length, 1);
});

test('so does one that is used while there is no stream', async () => {
    const { broker, connection, clock } = shop();
    const a = heard(connection.channel('a'));
    await settle();
    broker.stream.cut();
    await settle();
    const b = heard(connection.channel('b'));
    broker.publish('a', 'missed');
    await clock.advance(1000);
    assert.deepEqual([a, b], [['missed'], [2, 3]]);
    assert.deepEqual(asked(broker), [['a', null], ['a', '1000-3']]);
    // Of what is complete nothing comes again.
    broker.stream.cut();
    broker.publish('b', 5, undefined, 'x');
    await clock.advance(1000);
    assert.deepEqual(b, [2, 3, 5]);
    assert.deepEqual(asked(broker)[2], ['a,b', '1000-4']);
});

test('so does one after a change that failed and one that did not', async () => {
    const { broker, connection, clock } = shop();
    heard(connection.channel('a'));
    await settle();
    broker.plans = [() => new Response('{"code":"stream-gone"}',
        { status: 404 })];
    heard(connection.channel('c'));
    await settle();
    heard(connection.channel('d'));
    await settle();
    broker.stream.cut();
    const b = heard(connection.channel('b'));
    await clock.advance(1000);
    assert.deepEqual(b, [2, 3]);
    assert.deepEqual(asked(broker).at(-1), ['a,c,d', '1000-3']);
});

test('an added one that breaks off comes again, and no other', async () => {
    const { broker, connection, clock } = shop();
    const a = heard(connection.channel('a'));
    await settle();
    const b = heard(connection.channel('b'));
    broker.ends = false;
    await settle();
    assert.deepEqual(b.splice(0), [2]);
    broker.ends = true;
    broker.stream.cut();
    broker.publish('a', 'missed');
    await clock.advance(1000);
    assert.deepEqual([a, b], [['missed'], [2, 3]]);
    assert.deepEqual([...broker.stream.channels], ['a', 'b']);
});

test('another page meanwhile: it begins as the first did', async () => {
    const { broker, connection, clock } = shop({ linger: 0 });
    const a = connection.channel('a');
    heard(a);
    await settle();
    broker.publish('a', 1);
    await settle();
    broker.stream.cut();
    await settle();
    a.close();
    const b = heard(connection.channel('b'));
    await clock.advance(1000);
    assert.deepEqual(b, [2, 3]);
    assert.deepEqual(asked(broker), [['a', null], ['b', null]]);
});

test('where no stream can be changed, it asks for all at once', async () => {
    const { broker, connection, clock } = shop();
    broker.changes = false;
    heard(connection.channel('a'));
    await settle();
    const b = heard(connection.channel('b'));
    await clock.advance(10000);
    broker.publish('b', 9);
    await settle();
    assert.deepEqual(b, [9]);
    assert.deepEqual(asked(broker), [['a', null], ['a,b', '1000-3']]);
    broker.stream.cut();
    heard(connection.channel('c'));
    await clock.advance(10000);
    assert.deepEqual(asked(broker)[2], ['a,b,c', '1000-4']);
});
