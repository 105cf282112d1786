/* reconnect: when a stream is opened again, and when not. A fake clock. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../src/index.js';
import { FakeBroker, problem } from './fake_broker.js';
import { FakePage, settle } from './fake_page.js';
import { listening } from './fixture.js';

const down = () => {
    throw new TypeError('fetch failed');
};

test('a stream that breaks is resumed at its cursor', async () => {
    const { broker, clock, events, resyncs } = await listening();
    broker.publish('a', 1);
    await settle();
    broker.stream.cut();
    await settle();
    broker.publish('a', 2);
    await clock.advance(1000);
    broker.publish('a', 3);
    await settle();
    assert.deepEqual(events, [1, 2, 3]);
    assert.equal(broker.opened[1].last, '1000-1');
    assert.deepEqual(resyncs, []);
});

test('a stream that breaks before any event loses nothing', async () => {
    const { broker, clock, events } = await listening();
    broker.stream.end();
    broker.publish('a', 'meanwhile');
    await clock.advance(1000);
    assert.deepEqual(events, ['meanwhile']);
});

test('one that breaks before it is live loses nothing either', async () => {
    const broker = new FakeBroker();
    broker.plans = [() => new Response('event: connected\n' +
        'data: {"stream":"S","cursor":"0-0"}\n\n',
    { headers: { 'Content-Type': 'text/event-stream' } })];
    broker.publish('a', 'meanwhile');
    const { clock, events } = await listening({}, broker);
    await clock.advance(1000);
    assert.deepEqual(events, ['meanwhile']);
});

test('an error has all its members', async () => {
    const { broker, errors } = await listening();
    broker.stream.cut();
    await settle();
    const [{ message, name, ...members }] = errors;
    assert.deepEqual([name, message, members], ['SsemuxError', 'Error: reset',
        { code: 'network', status: 0, final: false, wait: 0, channels: [] }]);
});

test('what other channels got is not asked for again', async () => {
    const broker = new FakeBroker();
    broker.publish('other', 1);
    const { clock } = await listening({}, broker);
    broker.publish('other', 2);
    broker.stream.cut();
    await clock.advance(1000);
    broker.stream.cut();
    await clock.advance(1000);
    assert.deepEqual(broker.opened.map(({ last }) => last),
        [null, '1000-1', '1000-2']);
});

for (const [first, longest, expected] of /** @type {[any, any, any][]} */ ([
    [undefined, undefined, [1000, 2000, 4000, 8000, 16000, 30000, 30000]],
    [5000, 60000, [5000, 10000, 20000, 40000, 60000, 60000, 60000]]]))
test(`waits double from ${first} to ${longest}, with full jitter`, async () => {
    const { broker, page, clock } = await listening(
        JSON.parse(JSON.stringify({ first, longest })));
    const waits = [];
    broker.plans = Array(7).fill(down);
    page.dice = Array(7).fill(0.999);
    broker.stream.cut();
    for (let turn = 0; turn < 7; turn++) {
        await settle();
        const [{ at }] = clock.timers;
        waits.push(Math.floor(at - clock.now));
        await clock.advance(at - clock.now);
        assert.equal(broker.opened.length, turn + 2);
    }
    assert.deepEqual(waits, expected.map((/** @type {number} */ ms) =>
        Math.floor(ms * 0.999)));
});

test('the jitter reaches down to nothing', async () => {
    const { broker, page, clock } = await listening({ first: 60000 });
    page.dice = [0];
    broker.stream.cut();
    await clock.advance(1);
    assert.equal(broker.opened.length, 2);
});

test('success begins the waits anew; being accepted alone does not',
    async () => {
        const { broker, page, clock } = await listening({ first: 1000 });
        page.dice = Array(20).fill(0.999);
        const accept = () => new Response(new ReadableStream({
            start(controller) {
                controller.enqueue(new TextEncoder().encode('event: bye\n' +
                    'data: {"reason":"overload"}\n\n'));
            },
        }), { headers: { 'Content-Type': 'text/event-stream' } });
        broker.plans = [accept, accept, accept];
        broker.stream.cut();
        await clock.advance(999);
        await clock.advance(1998);
        await clock.advance(3996);
        assert.equal(broker.opened.length, 4);
        await clock.advance(7991);
        assert.equal(broker.opened.length, 4);
        await clock.advance(1);
        assert.equal(broker.live.length, 1);
        broker.stream.cut();
        await clock.advance(999);
        assert.equal(broker.live.length, 1);
    });

test('retry: is the least that is waited', async () => {
    const { broker, page, clock } = await listening({},
        Object.assign(new FakeBroker(), { retry: 5000 }));
    page.dice = [0.1];
    broker.stream.cut();
    await clock.advance(4999);
    assert.equal(broker.opened.length, 1);
    await clock.advance(1);
    assert.equal(broker.opened.length, 2);
});

test('who was not sent away is spread further', async () => {
    const { broker, page, clock } = await listening({ first: 20000 },
        Object.assign(new FakeBroker(), { retry: 3000 }));
    page.dice = [0.999];
    broker.stream.cut();
    await clock.advance(19979);
    assert.equal(broker.opened.length, 1);
    await clock.advance(1);
    assert.equal(broker.opened.length, 2);
});

test('after bye it comes back after retry, neither sooner nor later',
    async () => {
        const { broker, page, clock, errors } = await listening(
            { first: 20000 }, Object.assign(new FakeBroker(), { retry: 3000 }));
        page.dice = [0.999];
        broker.stream.write('retry: 2345\n');
        broker.stream.control('bye', { reason: 'drain' });
        await clock.advance(2344);
        assert.equal(broker.opened.length, 1);
        await clock.advance(1);
        assert.equal(broker.live.length, 1);
        assert.deepEqual(errors, []);
    });

test('a second bye in a row is answered with more patience', async () => {
    const { broker, page, clock } = await listening({ first: 4000 });
    const bye = () => new Response('retry: 1000\nevent: bye\ndata: {}\n\n',
        { headers: { 'Content-Type': 'text/event-stream' } });
    broker.plans = [bye];
    page.dice = Array(5).fill(0.999);
    broker.stream.write('retry: 1000\n');
    broker.stream.control('bye', {});
    await clock.advance(1000);
    assert.equal(broker.opened.length, 2);
    await clock.advance(7991); // almost twice the first wait
    assert.equal(broker.opened.length, 2);
    await clock.advance(1);
    assert.equal(broker.opened.length, 3);
});

test('a retry: beyond all measure is not taken at its word', async () => {
    const { broker, clock } = await listening();
    broker.stream.write('retry: 99999999999999\n');
    await settle();
    broker.stream.cut();
    await clock.advance(3600_000);
    assert.equal(broker.opened.length, 2);
});

test('Retry-After is respected, in seconds and as a date', async () => {
    const broker = new FakeBroker();
    broker.plans = [
        () => problem(503, 'overload', '', { 'Retry-After': '7' }),
        () => problem(429, 'overload', '',
            { 'Retry-After': new Date(1_020_000).toUTCString() })];
    const { clock, errors, page } = await listening({}, broker);
    page.dice = [0, 0];
    await clock.advance(6999);
    assert.equal(broker.opened.length, 1);
    await clock.advance(1);
    assert.equal(broker.opened.length, 2);
    await clock.advance(1_020_000 - clock.now - 1);
    assert.equal(broker.opened.length, 2);
    page.dispatchEvent(new Event('online')); // nor is it cut short
    await settle();
    assert.equal(broker.opened.length, 2);
    await clock.advance(1);
    assert.equal(broker.live.length, 1);
    assert.deepEqual(errors.map(({ status, final, wait }) =>
        [status, final, wait]), [[503, false, 7000], [429, false, 13000]]);
});

for (const [status, code] of /** @type {[number, string][]} */ ([
    [401, 'token-expired'], [403, 'origin-not-allowed'], [404, 'not-found'],
    [400, 'channels-too-many']])) {
    test(`${status} is final: told once, not tried again`, async () => {
        const broker = new FakeBroker();
        broker.plans = [() => problem(status, code, 'no')];
        const { clock, errors, connection, page } = await listening({}, broker);
        /** @type {any} */
        let failed;
        connection.channel('a').subscribe({ error: (error) => {
            failed = error;
        } });
        await clock.advance(3600_000);
        page.dispatchEvent(new Event('online'));
        await clock.advance(3600_000);
        assert.equal(broker.requests.length, 1);
        assert.equal(errors.length, 1);
        assert.deepEqual([errors[0].status, errors[0].code, errors[0].final,
            errors[0].message], [status, code, true, 'no']);
        assert.equal(failed, errors[0]);
        assert.equal(connection.state, 'closed');
        assert.equal(page.clock.timers.length, 0);
        // Who ends what has ended, or uses it, is told why it had to.
        connection.close();
        await assert.rejects(connection.channel('a').ready(), { code });
        // The next one asks again.
        const next = connect('/stream', { env: page });
        assert.notEqual(next, connection);
        next.channel('a').on('event', () => {});
        await settle();
        assert.equal(broker.live.length, 1);
    });
}

test('408, 425, 429 and 5xx pass', async () => {
    for (const status of [408, 425, 429, 500, 502, 503, 504]) {
        const broker = new FakeBroker();
        broker.plans = [() => new Response('<html>', { status })];
        const { clock } = await listening({}, broker);
        await clock.advance(1000);
        assert.equal(broker.live.length, 1, String(status));
    }
});

test('what is no event stream is final', async () => {
    const broker = new FakeBroker();
    broker.plans = [() => new Response('<html>',
        { headers: { 'Content-Type': 'text/html' } })];
    const { connection, errors } = await listening({}, broker);
    assert.deepEqual(errors.map(({ code }) => code), ['http-200']);
    assert.equal(connection.state, 'closed');
});

test('a stream that misses its heartbeats is opened again', async () => {
    const { broker, clock, errors, events } = await listening();
    await clock.advance(30000);
    broker.stream.write(':hb\n');
    await clock.advance(30999);
    assert.equal(broker.opened.length, 1);
    broker.live[0].write = () => {}; // half of the network is gone
    broker.publish('a', 'unheard');
    await clock.advance(1);
    await clock.advance(500);
    assert.deepEqual(errors.map(({ code }) => code), ['silent']);
    assert.equal(broker.opened.length, 2);
    assert.deepEqual(events, ['unheard']);
});

test('a request that is not answered is given up', async () => {
    const broker = new FakeBroker();
    broker.plans = [() => new Promise(() => {})];
    const { clock } = await listening({ timeout: 10000 }, broker);
    await clock.advance(9999);
    assert.equal(broker.opened.length, 1);
    await clock.advance(501);
    assert.equal(broker.live.length, 1);
    assert.equal(broker.opened[0].signal.aborted, true);
});

test('a page that is online or seen again tries at once', async () => {
    for (const wake of [
        (/** @type {FakePage} */ page) =>
            page.dispatchEvent(new Event('online')),
        (/** @type {FakePage} */ page) =>
            page.dispatchEvent(new Event('pageshow')),
        (/** @type {FakePage} */ page) =>
            page.document.dispatchEvent(new Event('visibilitychange'))]) {
        const { broker, page } = await listening({ first: 60000 });
        broker.stream.cut();
        await settle();
        assert.equal(broker.opened.length, 1);
        wake(page);
        await settle();
        assert.equal(broker.live.length, 1);
    }
});

test('who was woken waits shortly again, and no old timer runs', async () => {
    const { broker, page, clock } = await listening({ first: 1000 });
    page.dice = Array(10).fill(0.999);
    broker.plans = Array(5).fill(down);
    broker.stream.cut();
    for (const ms of [999, 1998, 3996])
        await clock.advance(ms);
    page.dispatchEvent(new Event('online'));
    await settle();
    assert.equal(broker.opened.length, 5);
    assert.equal(clock.timers.length, 1);
    await clock.advance(999);
    assert.equal(broker.opened.length, 6);
});

test('a page that is hidden is not woken', async () => {
    const { broker, page } = await listening({ first: 60000 });
    broker.stream.cut();
    await settle();
    page.document.visibilityState = 'hidden';
    page.document.dispatchEvent(new Event('visibilitychange'));
    await settle();
    assert.equal(broker.opened.length, 1);
});

test('a page that slept notices at once that its stream is dead', async () => {
    const { broker, page, clock, errors } = await listening();
    clock.now += 3600_000; // no timer has run
    page.document.dispatchEvent(new Event('visibilitychange'));
    await settle();
    assert.deepEqual(errors.map(({ code }) => code), ['silent']);
    await clock.advance(1000);
    assert.equal(broker.opened.length, 2);
});

test('a stream that lives is left alone when the page is seen', async () => {
    const { broker, page, states } = await listening();
    page.document.dispatchEvent(new Event('visibilitychange'));
    await settle();
    assert.equal(broker.opened.length, 1);
    assert.deepEqual(states, ['connecting', 'open']);
});

test('states are told in order', async () => {
    const { broker, clock, states, connection } = await listening();
    broker.stream.cut();
    await clock.advance(1000);
    connection.close();
    await settle();
    assert.deepEqual(states, ['connecting', 'open', 'waiting', 'connecting',
        'open', 'closed']);
});

test('close ends the request, the timers and all listening', async () => {
    const { broker, page, connection } = await listening();
    connection.close();
    await settle();
    assert.equal(broker.live.length, 0);
    assert.equal(page.clock.timers.length, 0);
    assert.equal(page.listeners, 0);
});

test('close while waiting ends the wait', async () => {
    const { broker, page, connection } = await listening();
    broker.stream.cut();
    await settle();
    connection.close();
    await page.clock.advance(100000);
    assert.equal(broker.opened.length, 1);
    assert.equal(page.clock.timers.length, 0);
});
