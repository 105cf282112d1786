/*
 * channels: who gets what, and what the broker is asked for. Many tests run
 * with a broker that changes live streams and with one that does not.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../src/index.js';
import { settle } from './fake_page.js';
import { both, heard, page } from './fixture.js';

test('nothing is asked for until a channel is used', async () => {
    const { broker, connection } = page();
    connection.channel('a');
    await settle();
    assert.equal(broker.requests.length, 0);
    assert.equal(connection.state, 'idle');
});

test('channels of one moment go into one request', async () => {
    const { broker, connection } = page();
    heard(connection.channel('a'));
    heard(connection.channel('org:42:*'));
    heard(connection.channel('a'));
    await settle();
    assert.equal(broker.requests.length, 1);
    assert.deepEqual(broker.stream.request.channels, ['a', 'org:42:*']);
});

test('each handle gets the events of its channel or pattern', async () => {
    const { broker, connection } = page();
    const got = Object.fromEntries(['a', 'org:*', 'org:42:*', 'org:42:x', '*']
        .map((name) => [name, heard(connection.channel(name))]));
    await settle();
    ['a', 'org:42:x', 'org:42', 'org:7:x', 'ab', 'b'].forEach((channel) =>
        broker.publish(channel, channel));
    await settle();
    assert.deepEqual(got, {
        a: ['a'], 'org:*': ['org:42:x', 'org:42', 'org:7:x'],
        'org:42:*': ['org:42:x'], 'org:42:x': ['org:42:x'],
        '*': ['a', 'org:42:x', 'org:42', 'org:7:x', 'ab', 'b'] });
});

test('an event is what was published, with its cursor', async () => {
    const { broker, connection } = page();
    /** @type {any[]} */
    const events = [];
    connection.channel('a').on('event', (event) => events.push(event));
    await settle();
    broker.publish('a', { n: 1 }, 't');
    await settle();
    assert.deepEqual(events, [{ channel: 'a', type: 't', ts: 1000,
        data: { n: 1 }, cursor: '1000-1' }]);
    assert.equal(connection.cursor, '1000-1');
});

test('on and off go by type and listener', async () => {
    const { broker, connection } = page();
    const handle = connection.channel('a');
    /** @type {string[]} */
    const said = [];
    const listener = (/** @type {any} */ event) => said.push(event.type);
    handle.on('x', listener);
    handle.on('y', listener);
    const offAll = handle.on('event', () => said.push('all'));
    await settle();
    broker.publish('a', 1, 'x');
    broker.publish('a', 1, 'y');
    broker.publish('a', 1);
    await settle();
    assert.deepEqual(said.splice(0), ['x', 'all', 'y', 'all', 'all']);
    handle.off('x', listener);
    offAll();
    broker.publish('a', 1, 'x');
    broker.publish('a', 1, 'y');
    await settle();
    assert.deepEqual(said, ['y']);
});

test('types may be called as members of objects are', async () => {
    const { broker, connection } = page();
    const a = connection.channel('a');
    const types = ['constructor', 'toString', '__proto__', 'hasOwnProperty'];
    const got = types.map((type) => heard(a, type));
    await settle();
    types.forEach((type) => broker.publish('a', type, type));
    for (const type of types) // as control events that nobody knows
        broker.stream.control(type, {});
    await settle();
    assert.deepEqual(got, types.map((type) => [type]));
    assert.equal(connection.state, 'open');
});

test('a type that is named like a notice is heard among all', async () => {
    const { broker, connection } = page();
    const handle = connection.channel('a');
    const [all, resyncs] = [heard(handle), heard(handle, 'resync')];
    await settle();
    broker.publish('a', 'mine', 'resync');
    await settle();
    assert.deepEqual([all, resyncs], [['mine'], []]);
});

both('a second channel comes without a second connection', async (broker) => {
    const { connection } = page({}, broker);
    const a = heard(connection.channel('a'));
    await settle();
    const b = heard(connection.channel('b'));
    await settle();
    broker.publish('a', 1);
    broker.publish('b', 2);
    await settle();
    assert.deepEqual([a, b], [[1], [2]]);
    assert.equal(broker.live.length, 1);
    assert.deepEqual([...broker.stream.channels], ['a', 'b']);
    assert.equal(broker.opened.length, broker.changes === true ? 1 : 2);
});

both('a channel that is added gets nothing from before', async (broker) => {
    const { connection, clock } = page({}, broker);
    const a = heard(connection.channel('a'));
    await settle();
    broker.publish('a', 1);
    await settle();
    broker.publish('b', 'old');
    const b = heard(connection.channel('b'));
    await settle();
    broker.publish('b', 'new');
    await settle();
    broker.stream.cut();
    broker.publish('b', 'during a drop');
    await clock.advance(1000);
    assert.deepEqual([a, b], [[1], ['new', 'during a drop']]);
});

both('adding channels loses no event of the others', async (broker) => {
    const { connection } = page({}, broker);
    const a = heard(connection.channel('a'));
    await settle();
    let n = 0;
    for (let turn = 0; turn < 20; turn++) {
        heard(connection.channel('x:' + turn));
        for (let tick = 0; tick < 5; tick++) {
            broker.publish('a', n++);
            await new Promise((resolve) => setImmediate(resolve));
        }
    }
    await settle();
    assert.deepEqual(a, [...Array(n).keys()]);
    assert.equal(broker.live.length, 1);
    assert.equal(broker.stream.channels.size, 21);
});

both('the last user leaves the channel, after a while', async (broker) => {
    const { connection, clock } = page({ linger: 1000 }, broker);
    heard(connection.channel('a'));
    const [one, two] = [connection.channel('b'), connection.channel('b')];
    heard(one);
    heard(two);
    await settle();
    one.close();
    await clock.advance(5000);
    assert.deepEqual([...broker.stream.channels], ['a', 'b']);
    two.close();
    await clock.advance(999);
    assert.deepEqual([...broker.stream.channels], ['a', 'b']);
    await clock.advance(1);
    assert.deepEqual([...broker.stream.channels], ['a']);
    assert.equal(broker.live.length, 1);
});

test('the last channel of all closes the stream', async () => {
    const { connection, clock, broker } = page();
    const off = connection.channel('a').on('event', () => {});
    await settle();
    off();
    await clock.advance(1000);
    assert.equal(broker.live.length, 0);
    assert.equal(connection.state, 'idle');
    assert.equal(clock.timers.length, 0);
    // And a new one opens it, from now on.
    broker.publish('a', 'between');
    const a = heard(connection.channel('a'));
    await settle();
    broker.publish('a', 'after');
    await settle();
    assert.deepEqual(a, ['after']);
});

test('a double mount asks once', async () => {
    const { broker, clock, open } = page();
    const off = open().channel('a').on('event', () => {});
    off();
    const a = heard(open().channel('a'));
    await clock.advance(5000);
    broker.publish('a', 1);
    await settle();
    assert.equal(broker.requests.length, 1);
    assert.deepEqual(a, [1]);
});

test('a component that comes back within the linger asks nothing',
    async () => {
        const { broker, clock, open } = page();
        const off = open().channel('a').on('event', () => {});
        await settle();
        off();
        await clock.advance(900);
        heard(open().channel('a'));
        await clock.advance(5000);
        assert.equal(broker.requests.length, 1);
    });

test('a hot reload finds the connection, with today\'s callbacks',
    async () => {
        const { broker, env, open, connection, clock } = page(
            { token: () => 'old' });
        heard(open().channel('a'));
        await settle();
        const fresh = await import(/** @type {any} */ ('../src/index.js?hot'));
        const again = fresh.connect('/stream', { env, token: () => 'new' });
        assert.equal(again, connection);
        heard(again.channel('a'));
        await settle();
        assert.equal(broker.requests.length, 1);
        broker.stream.cut();
        await clock.advance(1000);
        assert.deepEqual(broker.opened.map(({ token }) => token),
            ['Bearer old', 'Bearer new']);
    });

test('other URLs, names and tokens are other connections', async () => {
    const { env, open, connection } = page();
    assert.equal(open(), connection);
    assert.equal(connect(new URL('http://page.example/stream'), { env }),
        connection);
    assert.notEqual(connect('/other', { env }), connection);
    assert.notEqual(open({ name: 'x' }), connection);
    assert.notEqual(open({ token: 'x' }), connection);
    assert.equal(open({ token: 'x' }), open({ token: 'x' }));
    assert.notEqual(open({ headers: { Cookie: 'x' } }), connection);
    // Where there is no page, a callback is one user's.
    env.document = /** @type {any} */ (undefined);
    const token = () => 'x';
    assert.equal(open({ token }), open({ token }));
    assert.notEqual(open({ token }), open({ token: () => 'x' }));
});

test('a name that is no channel is refused where it is said', () => {
    const { connection } = page();
    for (const name of ['', 'a b', 'a,b', 'é', '*x', 'a*', 'a:*:b', 'a\n',
        'x'.repeat(201)])
        assert.throws(() => connection.channel(name), TypeError, name);
    for (const name of ['a', '*', 'a:*', 'A_z.0:~@/-', 'x'.repeat(200)])
        assert.equal(connection.channel(name).name, name);
});

both('ready comes when nothing is lost any more', async (broker) => {
    const { connection } = page({}, broker);
    const a = connection.channel('a');
    heard(a);
    const b = connection.channel('b');
    await a.ready();
    heard(b);
    await b.ready();
    assert.deepEqual([...broker.stream.channels], ['a', 'b']);
    await b.ready(); // also who asks late
    const late = connection.channel('a');
    let told = 0;
    late.on('ready', () => told++);
    await settle();
    assert.equal(told, 1);
});

test('resync reaches exactly who it concerns', async () => {
    const { broker, connection } = page();
    /** @type {string[]} */
    const told = [];
    for (const name of ['a', 'b', 'org:*', 'org:1:*', 'org:1:x', 'org:2:*',
        '*'])
        connection.channel(name).on('resync', () => told.push(name));
    await settle();
    broker.stream.control('resync', { channels: ['a'], reason: 'history' });
    await settle();
    assert.deepEqual(told.splice(0), ['a', '*']);
    broker.stream.control('resync', { channels: ['org:1:*'], reason: 'x' });
    await settle();
    assert.deepEqual(told.splice(0), ['org:*', 'org:1:*', 'org:1:x', '*']);
    broker.stream.control('resync', { channels: ['org:1:y', 'b'] });
    await settle();
    assert.deepEqual(told.splice(0), ['b', 'org:*', 'org:1:*', '*']);
    broker.stream.control('resync', { channels: ['*'] });
    await settle();
    assert.equal(told.length, 7);
});

test('who is ready and does not use it leaves it', async () => {
    const { broker, connection, clock } = page();
    await connection.channel('a').ready();
    assert.equal(broker.live.length, 1);
    await clock.advance(1000);
    assert.equal(broker.live.length, 0);
});

test('a connection that is closed at once asks nothing', async () => {
    const { broker, connection } = page();
    heard(connection.channel('a'));
    connection.close();
    await settle();
    assert.equal(broker.requests.length, 0);
});
