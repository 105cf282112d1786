/* shared: several tabs, one connection, and a leader that may go at any time. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../src/index.js';
import '../src/shared.js'; // else it is loaded while a fake clock stands still
import { dice } from './dice.js';
import { FakeBroker, problem } from './fake_broker.js';
import { FakeOrigin } from './fake_origin.js';
import { FakePage, settle } from './fake_page.js';

/** @param {any} [options] */
function origin(options = {}, broker = new FakeBroker()) {
    const fake = new FakeOrigin(broker);
    const { clock } = fake;
    /** A tab that uses these channels, and what it heard. */
    const tab = (/** @type {string[]} */ ...names) => {
        const page = fake.page();
        const connection = connect('/stream',
            { env: page, shared: true, ...options });
        /** @type {any[][]} */
        const [events, resyncs, errors] = [[], [], []];
        connection.on('error', (error) => errors.push(error));
        const handles = names.map((name) => connection.channel(name));
        for (const handle of handles) {
            handle.on('event', ({ data }) => events.push(data));
            handle.on('resync', (resync) => resyncs.push(resync));
        }
        return { page, connection, events, resyncs, errors, handles };
    };
    return { fake, broker, clock, tab };
}

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

test('a new leader takes over without loss or repetition', async () => {
    const { fake, broker, clock, tab } = origin();
    const tabs = [tab('a'), tab('a', 'b'), tab('b')];
    await clock.advance(100);
    broker.publish('a', 1);
    broker.publish('b', 2);
    await settle();
    fake.kill(tabs[0].page);
    broker.publish('a', 3);
    broker.publish('b', 4);
    await clock.advance(100);
    broker.publish('a', 5);
    broker.publish('b', 6);
    await settle();
    assert.deepEqual(tabs.slice(1).map(({ events }) => events),
        [[1, 2, 3, 4, 5, 6], [2, 4, 6]]);
    assert.deepEqual(tabs.map(({ resyncs }) => resyncs.length), [0, 0, 0]);
    assert.equal(broker.live.length, 1);
    assert.deepEqual([...broker.stream.channels], ['a', 'b']);
});

test('a leader that closes hands over as well', async () => {
    for (const how of ['close', 'pagehide']) {
        const { broker, clock, tab } = origin();
        const [one, two] = [tab('a'), tab('a')];
        await clock.advance(100);
        broker.publish('a', 1);
        await settle();
        if (how === 'close')
            one.connection.close();
        else
            one.page.dispatchEvent(new Event('pagehide'));
        broker.publish('a', 2);
        await clock.advance(100);
        assert.deepEqual(two.events, [1, 2], how);
        assert.equal(broker.live.length, 1);
    }
});

test('what the old leader heard and nobody else comes again', async () => {
    const { fake, broker, clock, tab } = origin();
    const [one, two] = [tab('a'), tab('a')];
    await clock.advance(100);
    broker.publish('a', 1);
    await settle();
    fake.hang(two.page);
    broker.publish('a', 2);
    await settle();
    fake.kill(one.page);
    fake.wakeUp(two.page, 'lost');
    await clock.advance(100);
    broker.publish('a', 3);
    await settle();
    assert.deepEqual(two.events, [1, 2, 3]);
});

test('a tab that missed messages gets them, and nobody anything twice',
    async () => {
        const { fake, broker, clock, tab } = origin();
        const tabs = [tab('a'), tab('a'), tab('a')];
        await clock.advance(100);
        broker.publish('a', 1);
        await settle();
        fake.hang(tabs[2].page);
        broker.publish('a', 2);
        await settle();
        fake.wakeUp(tabs[2].page, 'lost');
        broker.publish('a', 3);
        await clock.advance(100);
        broker.publish('a', 4);
        await settle();
        for (const { events } of tabs)
            assert.deepEqual(events, [1, 2, 3, 4]);
        assert.equal(broker.live.length, 1);
    });

test('takeover before any event: the place is known all the same', async () => {
    const { fake, broker, clock, tab } = origin();
    const [one, two] = [tab('a'), tab('a')];
    await clock.advance(100);
    fake.kill(one.page);
    broker.publish('a', 1);
    await clock.advance(100);
    assert.deepEqual(two.events, [1]);
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

for (const changes of [true, false]) {
    test('tabs come, go and die at random: no loss, no repetition, one ' +
        `stream (${changes ? 'by POST' : 'by a new stream'})`, async () => {
        for (let seed = 1; seed <= 15; seed++)
            await chaos(seed, changes);
    });
}

/** @param {number} seed @param {boolean} changes */
async function chaos(seed, changes) {
    const throwDice = dice(seed);
    const roll = (/** @type {number} */ sides) =>
        Math.floor(throwDice() * sides);
    const { fake, broker, clock, tab } = origin({ linger: 10 },
        Object.assign(new FakeBroker(), { changes }));
    /** @type {any[]} */
    let tabs = [];
    let count = 0;
    const grow = async () => {
        const one = tab('a');
        tabs.push(one);
        const ready = one.handles[0].ready();
        await clock.advance(100);
        await ready;
        tabs.at(-1).from = count;
    };
    await grow();
    for (let turn = 0; turn < 25; turn++) {
        for (let n = roll(4); n > 0; n--)
            broker.publish('a', count++);
        if (roll(3) === 0)
            broker.live.at(-1)?.cut();
        if (roll(2))
            await new Promise((resolve) => setImmediate(resolve));
        if (roll(4) === 0 && tabs.length > 1) {
            const [gone] = tabs.splice(roll(tabs.length), 1);
            if (roll(2))
                fake.kill(gone.page);
            else
                gone.connection.close();
        }
        if (roll(4) === 0 && tabs.length < 5) {
            await clock.advance(2000);
            await grow();
        }
        await clock.advance(roll(3) * 50);
        assert.ok(broker.live.length <= 1, `seed ${seed}: two streams`);
    }
    await clock.advance(60000);
    for (const { events, from } of tabs)
        assert.deepEqual(events.filter((/** @type {number} */ n) => n >= from),
            [...Array(count).keys()].slice(from), `seed ${seed}`);
}
