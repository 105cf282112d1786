/* leader: who holds the stream of all tabs may go at any time. */
import assert from 'node:assert/strict';
import test from 'node:test';
import '../src/shared.js'; // else it is loaded while a fake clock stands still
import { dice } from './dice.js';
import { FakeBroker } from './fake_broker.js';
import { settle } from './fake_page.js';
import { origin } from './fixture.js';

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
        /** @type {string[]} */
        const states = [];
        tabs[1].connection.on('state', (state) => states.push(state));
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
        // Of the stream that was replaced nothing is said.
        assert.deepEqual(states, ['connecting', 'open']);
    });

test('a tab that lags when the leader goes costs no further stream',
    async () => {
        const { fake, broker, clock, tab } = origin();
        const [leader, lagging, good] = [tab('a'), tab('a'), tab('a')];
        await clock.advance(100);
        broker.publish('a', 1);
        await settle();
        fake.hang(lagging.page);
        broker.publish('a', 2);
        await settle();
        fake.wakeUp(lagging.page, 'lost');
        fake.kill(leader.page);
        broker.publish('a', 3);
        await clock.advance(200);
        assert.deepEqual([lagging.events, good.events], [[1, 2, 3], [1, 2, 3]]);
        assert.equal(broker.opened.length, 2);
    });

test('a tab that lags and wants more gets what it missed, too', async () => {
    const { fake, broker, clock, tab } = origin();
    const [one, two] = [tab('a'), tab('a')];
    await clock.advance(100);
    broker.publish('a', 1);
    await settle();
    fake.hang(two.page);
    broker.publish('a', 2);
    await settle();
    fake.wakeUp(two.page, 'lost');
    await two.connection.channel('b').ready();
    broker.publish('a', 3);
    await clock.advance(200);
    assert.deepEqual([one.events, two.events], [[1, 2, 3], [1, 2, 3]]);
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
