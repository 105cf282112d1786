/* shared: several tabs, one connection. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../src/index.js';
import '../src/shared.js'; // else it is loaded while a fake clock stands still
import { FakeBroker, problem } from './fake_broker.js';
import { FakePage, settle } from './fake_page.js';
import { origin } from './fixture.js';

test('tabs share one connection with all their channels', async () => {
    const { broker, clock, tab } = origin();
    const [one, two, three] = [tab('a'), tab('b', 'c:*'), tab('a', 'b')];
    await clock.advance(100);
    assert.equal(broker.requests.length, 1);
    assert.deepEqual([...broker.stream.channels].sort(), ['a', 'b', 'c:*']);
    for (const channel of ['a', 'b', 'c:1', 'd'])
        broker.publish(channel, channel);
    await settle();
    assert.deepEqual([one.events, two.events, three.events],
        [['a'], ['b', 'c:1'], ['a', 'b']]);
    assert.deepEqual([one, two, three].map(({ connection }) =>
        connection.state), ['open', 'open', 'open']);
});

test('a tab that comes later gets what comes later', async () => {
    const { broker, clock, tab } = origin();
    tab('a');
    await clock.advance(100);
    broker.publish('a', 1);
    const two = tab('a', 'b');
    await two.handles[1].ready();
    broker.publish('a', 2);
    broker.publish('b', 3);
    await settle();
    assert.deepEqual(two.events, [2, 3]);
    assert.equal(broker.live.length, 1);
    assert.equal(broker.opened.length, 1);
});

test('what a tab wants at one moment, it says at once', async () => {
    const { fake, clock, tab } = origin();
    const { connection } = tab('a');
    await clock.advance(100);
    /** @type {string[]} */
    const states = [];
    connection.on('state', (state) => states.push(state));
    const send = fake.send.bind(fake);
    let said = 0;
    fake.send = (from, data) => {
        said += Number(data.method === 'want');
        send(from, data);
    };
    for (const name of ['b', 'c', 'd'])
        connection.channel(name).on('event', () => {});
    await settle();
    assert.equal(said, 1);
    assert.deepEqual(states, []); // which is what it was
});

test('ready comes to each tab, also for what another one has', async () => {
    const { clock, tab } = origin();
    const one = tab('a');
    await clock.advance(100);
    const two = tab('a');
    await two.handles[0].ready();
    await one.handles[0].ready();
});

test('a channel is left when no tab uses it', async () => {
    const { broker, clock, tab } = origin();
    const [one, two] = [tab('a', 'b'), tab('a')];
    await clock.advance(100);
    one.handles.forEach((handle) => handle.close());
    await clock.advance(1000);
    assert.deepEqual([...broker.stream.channels], ['a']);
    two.connection.close();
    await settle();
    assert.equal(broker.live.length, 0);
});

test('a tab that is killed takes its channels along', async () => {
    const { fake, broker, clock, tab } = origin();
    tab('a');
    await clock.advance(100);
    const two = tab('b');
    await clock.advance(100);
    assert.deepEqual([...broker.stream.channels], ['a', 'b']);
    fake.kill(two.page);
    await clock.advance(100);
    assert.deepEqual([...broker.stream.channels], ['a']);
});

test('tabs that want nothing for a while begin anew', async () => {
    const { broker, clock, tab } = origin();
    const one = tab('a');
    await clock.advance(100);
    broker.publish('a', 1);
    await settle();
    one.handles[0].close();
    await clock.advance(1000);
    assert.equal(broker.live.length, 0);
    assert.equal(one.connection.state, 'idle');
    broker.publish('a', 'between');
    /** @type {any[]} */
    const events = [];
    one.handles[0].on('event', ({ data }) => events.push(data));
    await clock.advance(100);
    broker.publish('a', 'after');
    await settle();
    assert.deepEqual(events, ['after']);
});

test('ready comes anew for a channel that was left', async () => {
    const { broker, clock, tab } = origin();
    const [one] = [tab('a', 'b'), tab('a')];
    await clock.advance(100);
    one.handles[1].close();
    await clock.advance(1000);
    assert.deepEqual([...broker.stream.channels], ['a']);
    broker.plans = [() => new Promise(() => {})];
    let ready = false;
    one.handles[1].ready().then(() => {
        ready = true;
    });
    await clock.advance(1000);
    assert.equal(ready, false);
});

test('resync reaches the tabs that it concerns, once', async () => {
    const { broker, clock, tab } = origin();
    const [one, two] = [tab('a'), tab('b')];
    await clock.advance(100);
    broker.stream.control('resync', { channels: ['b'], reason: 'history' });
    await settle();
    assert.deepEqual([one.resyncs.length, two.resyncs.length], [0, 1]);
});

test('a refusal reaches the tab that asked', async () => {
    const { broker, clock, tab } = origin();
    broker.forbidden = ['b'];
    const [one, two] = [tab('a'), tab('b')];
    await clock.advance(100);
    broker.publish('a', 1);
    await settle();
    assert.deepEqual(two.errors.map(({ code, channels }) => [code, channels]),
        [['channels-refused', ['b']]]);
    assert.deepEqual(one.events, [1]);
});

test('a final error ends all tabs, and is told once to each', async () => {
    const broker = new FakeBroker();
    broker.plans = [() => problem(401, 'token-expired', 'too old')];
    const { clock, tab } = origin({}, broker);
    const tabs = [tab('a'), tab('b')];
    for (const { page } of tabs)
        page.dice = [0, 0];
    await clock.advance(100000);
    for (const { errors, connection } of tabs) {
        assert.deepEqual(errors.map((error) => [error.constructor.name,
            error.code, error.status, error.message, error.final]),
        [['SsemuxError', 'token-expired', 401, 'too old', true]]);
        assert.equal(connection.state, 'closed');
    }
    assert.equal(broker.requests.length, 1);
    const later = tab('a');
    await clock.advance(100);
    assert.equal(later.connection.state, 'open');
});

test('a token is the leader\'s; renewal from any tab reaches the stream',
    async () => {
        const { broker, clock, tab } = origin({ token: 'one' });
        tab('a');
        const two = tab('a');
        await clock.advance(100);
        assert.equal(broker.requests[0].token, 'Bearer one');
        two.connection.renew('two');
        broker.plans = [() => new Response('{}')];
        await settle();
        assert.deepEqual(broker.requests.slice(1).map((request) =>
            [request.method, request.token]), [['POST', 'Bearer two']]);
    });

test('a page that comes back from the cache is told to load anew', async () => {
    const { broker, clock, tab } = origin();
    const [one, two] = [tab('a'), tab('a')];
    await clock.advance(100);
    one.page.dispatchEvent(new Event('pagehide'));
    await clock.advance(100);
    broker.publish('a', 1);
    await settle();
    one.page.dispatchEvent(Object.assign(new Event('pageshow'),
        { persisted: true }));
    await clock.advance(100);
    broker.publish('a', 2);
    await settle();
    assert.deepEqual(one.resyncs, [{ channels: ['a'], reason: 'page' }]);
    assert.equal(one.events.at(-1), 2);
    assert.deepEqual(two.events, [1, 2]);
    assert.equal(broker.live.length, 1);
});

test('a tab that is seen wakes a leader that waits', async () => {
    const { broker, clock, tab } = origin({ first: 60000 });
    tab('a');
    const two = tab('a');
    await clock.advance(100);
    broker.stream.cut();
    await clock.advance(100);
    assert.equal(broker.live.length, 0);
    two.page.document.dispatchEvent(new Event('visibilitychange'));
    await settle();
    assert.equal(broker.live.length, 1);
});

test('where there are no locks, each tab has its own', async () => {
    const broker = new FakeBroker();
    const env = new FakePage(broker);
    const connection = connect('/stream', { env, shared: true });
    /** @type {any[]} */
    const events = [];
    connection.channel('a').on('event', ({ data }) => events.push(data));
    await settle();
    broker.publish('a', 1);
    await settle();
    assert.deepEqual(events, [1]);
});
