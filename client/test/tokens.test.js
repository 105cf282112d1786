/* tokens: who says them when, and how they are renewed. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../src/index.js';
import { FakeBroker, problem } from './fake_broker.js';
import { FakePage, settle } from './fake_page.js';

/** @param {any} options */
async function open(options, broker = new FakeBroker()) {
    const env = new FakePage(broker);
    const connection = connect('/stream', { env, ...options });
    /** @type {any[]} */
    const errors = [];
    connection.on('error', (error) => errors.push(error));
    connection.channel('a').on('event', () => {});
    await settle();
    return { broker, clock: env.clock, env, connection, errors };
}

/** Gives out t1, t2, and keeps the reasons. */
function issuer() {
    /** @type {string[]} */
    const reasons = [];
    return { reasons, token: async (/** @type {any} */ { reason }) =>
        't' + reasons.push(reason) };
}

test('a token goes into the header, never into the URL', async () => {
    const { broker } = await open({ token: 'secret' });
    assert.equal(broker.requests[0].token, 'Bearer secret');
    assert.ok(!broker.requests[0].url.includes('secret'));
});

test('without a token there is no header', async () => {
    for (const token of [undefined, () => undefined, async () => null]) {
        const { broker } = await open({ token });
        assert.equal(broker.requests[0].token, null);
    }
});

test('a callback is asked at every connect', async () => {
    const { token, reasons } = issuer();
    const { broker, clock } = await open({ token });
    broker.stream.cut();
    await clock.advance(1000);
    assert.deepEqual(broker.opened.map((request) => request.token),
        ['Bearer t1', 'Bearer t2']);
    assert.deepEqual(reasons, ['connect', 'connect']);
});

test('token-expiring: the live stream gets another', async () => {
    const { token, reasons } = issuer();
    const { broker } = await open({ token });
    broker.plans = [() => new Response('{}')];
    broker.stream.control('token-expiring', { seconds: 60 });
    await settle();
    const { method, path, token: sent } = broker.requests[1];
    assert.deepEqual([method, path, sent],
        ['POST', '/stream/S1', 'Bearer t2']);
    assert.deepEqual(reasons, ['connect', 'expiring']);
    assert.equal(broker.live.length, 1);
    assert.equal(broker.requests.length, 2);
});

test('a broker that renews no stream gets a new one', async () => {
    const { token } = issuer();
    const { broker, errors } = await open({ token });
    broker.plans = [() => problem(405, 'method')];
    broker.stream.control('token-expiring', { seconds: 60 });
    await settle();
    assert.deepEqual(broker.opened.map((request) => request.token),
        ['Bearer t1', 'Bearer t3']);
    assert.equal(broker.live.length, 1);
    assert.deepEqual(errors, []);
});

test('a renewal that is refused: the next stream will tell', async () => {
    const { token } = issuer();
    const { broker, errors } = await open({ token });
    broker.plans = [() => problem(403, 'subject-differs'),
        () => problem(401, 'token-invalid')];
    broker.stream.control('token-expiring', { seconds: 60 });
    await settle();
    assert.deepEqual(errors.map(({ code, final }) => [code, final]),
        [['token-invalid', true]]);
});

test('a renewal that goes down with its stream is no failure', async () => {
    const { token } = issuer();
    const { broker, errors } = await open({ token });
    broker.plans = [(/** @type {any} */ { signal }) =>
        new Promise((_, reject) => {
            signal.addEventListener('abort', reject);
        })];
    broker.stream.control('token-expiring', { seconds: 60 });
    await settle();
    broker.stream.control('bye', { reason: 'drain' });
    await settle();
    assert.equal(broker.requests[1].signal.aborted, true);
    assert.deepEqual(errors, []);
});

test('a callback that fails to renew leaves the stream alone', async () => {
    let count = 0;
    const { broker, errors } = await open({ token: () => {
        if (count++)
            throw new Error('offline');
        return 't1';
    } });
    broker.stream.control('token-expiring', { seconds: 60 });
    await settle();
    assert.deepEqual(errors.map(({ code }) => code), ['network']);
    assert.equal(broker.live.length, 1);
    assert.equal(broker.requests.length, 1);
});

test('a token by value: who gave it is told, and gives another', async () => {
    const { broker, connection, clock } = await open({ token: 'one' });
    /** @type {any[]} */
    const told = [];
    connection.on('token-expiring', (info) => told.push(info));
    broker.stream.control('token-expiring', { seconds: 60 });
    await settle();
    assert.deepEqual(told, [{ seconds: 60 }]);
    broker.plans = [() => new Response('{}')];
    connection.renew('two');
    await settle();
    assert.equal(broker.requests[1].token, 'Bearer two');
    broker.stream.cut();
    await clock.advance(1000);
    assert.equal(broker.stream.request.token, 'Bearer two');
});

test('a callback that fails is asked again later', async () => {
    let count = 0;
    const { broker, errors, clock } = await open({ token: async () => {
        if (count++ === 0)
            throw new Error('offline');
        return 'good';
    } });
    assert.deepEqual(errors.map(({ code, final }) => [code, final]),
        [['network', false]]);
    await clock.advance(1000);
    assert.equal(broker.stream.request.token, 'Bearer good');
});

test('a callback that never answers is given up', async () => {
    let count = 0;
    const { broker, clock } = await open({ token: () => count++ ? 'good' :
        new Promise(() => {}) });
    await clock.advance(30000);
    await clock.advance(500);
    assert.equal(broker.stream.request.token, 'Bearer good');
});

test('who closes while a token is awaited asks nothing', async () => {
    /** @type {any} */
    let give;
    const { broker, connection } = await open({ token: () =>
        new Promise((resolve) => {
            give = resolve;
        }) });
    connection.close();
    give('late');
    await settle();
    assert.equal(broker.requests.length, 0);
});

test('a token that comes between two streams is for the next', async () => {
    const { broker, connection, clock } = await open({ token: 'one' });
    broker.stream.cut();
    await settle();
    connection.renew('two');
    await settle();
    assert.equal(broker.requests.length, 1);
    await clock.advance(1000);
    assert.equal(broker.stream.request.token, 'Bearer two');
});

test('no token is ever part of an error', async () => {
    const broker = new FakeBroker();
    broker.plans = [() => problem(401, 'token-invalid', 'no good')];
    const { errors } = await open({ token: 'secret-token' }, broker);
    assert.ok(!JSON.stringify(errors).includes('secret-token'));
    assert.equal(errors.length, 1);
});
