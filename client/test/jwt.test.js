/* jwt: tokens on a real ssemuxd that asks for them. */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { connect } from '../src/index.js';
import { Broker, waitFor } from './broker.js';

const secret = randomBytes(32);
const part = (/** @type {any} */ value) =>
    Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token that lasts so many seconds. @param {number} seconds */
function tokenFor(seconds, sub = 'u1', subscribe = ['a', 'b']) {
    const now = Math.floor(Date.now() / 1000);
    const text = part({ alg: 'HS256', typ: 'JWT' }) + '.' + part({ sub,
        iat: now, exp: now + seconds, ssemux: { subscribe } });
    return text + '.' + createHmac('sha256', secret).update(text)
        .digest('base64url');
}

/** @param {any} t @param {any} options */
async function open(t, options) {
    const broker = new Broker();
    const key = join(broker.folder, 'key');
    writeFileSync(key, secret);
    await broker.start(t, { 'auth.mode': 'jwt', 'auth.jwt_key_file': key,
        'auth.leeway': '0' });
    const connection = connect(broker.url, { first: 50, ...options });
    t.after(() => connection.close());
    /** @type {any[][]} */
    const [errors, states, events] = [[], [], []];
    connection.on('error', (error) => errors.push(error));
    connection.on('state', (state) => states.push(state));
    connection.channel('a').on('event', ({ data }) => events.push(data));
    return { broker, connection, errors, states, events };
}

test('a live stream outlives its first token', async (t) => {
    /** @type {string[]} */
    const reasons = [];
    const { broker, connection, errors, states, events } = await open(t, {
        token: ({ reason = '' }) => {
            reasons.push(reason);
            return tokenFor(reasons.length === 1 ? 2 : 3600);
        } });
    await connection.channel('a').ready();
    const first = Date.now();
    await waitFor(() => reasons.includes('expiring'));
    // Past the first token's end, an event arrives on the same stream.
    await waitFor(() => Date.now() > first + 3000);
    await broker.publish({ channel: 'a', data: 1 });
    await waitFor(() => events.length);
    assert.deepEqual(events, [1]);
    assert.deepEqual(errors, []);
    assert.deepEqual(states, ['connecting', 'open']);
    assert.deepEqual(reasons, ['connect', 'expiring']);
});

test('without another token the end is final, and told once', async (t) => {
    const { connection, errors } = await open(t, { token: tokenFor(2) });
    /** @type {any[]} */
    const told = [];
    connection.on('token-expiring', ({ seconds }) => told.push(seconds));
    connection.on('bye', ({ reason }) => told.push(reason));
    await waitFor(() => connection.state === 'closed');
    assert.equal(told.length, 2);
    assert.equal(told[1], 'token-expired');
    assert.deepEqual(errors.map(({ status, code, final }) =>
        [status, code, final]), [[401, 'token-expired', true]]);
});

test('channels that the token does not grant are refused alone', async (t) => {
    const { broker, connection, errors, events } = await open(t,
        { token: tokenFor(3600) });
    await connection.channel('a').ready();
    for (const name of ['secret', 'a:*'])
        await assert.rejects(connection.channel(name).ready(),
            { code: 'channels-refused', status: 403, channels: [name] });
    await connection.channel('b').ready();
    await broker.publish({ channel: 'a', data: 1 });
    await waitFor(() => events.length);
    assert.equal(errors.length, 2);
});

test('a token that grants nothing is told so; another may follow',
    async (t) => {
        const { connection, errors } = await open(t,
            { token: tokenFor(3600, 'u1', []) });
        await waitFor(() => errors.length);
        assert.deepEqual([errors[0].code, errors[0].channels],
            ['channels-refused', ['a']]);
        connection.renew(tokenFor(3600));
        await connection.channel('a').ready();
        assert.equal(connection.state, 'open');
    });

test('a forged token is refused', async (t) => {
    const { errors, connection } = await open(t,
        { token: tokenFor(3600).slice(0, -4) + 'AAAA' });
    await waitFor(() => connection.state === 'closed');
    assert.deepEqual(errors.map(({ status }) => status), [401]);
});

test('access that is withdrawn ends the channel\'s uses', async (t) => {
    const { broker, connection, events } = await open(t,
        { token: tokenFor(3600) });
    const b = connection.channel('b');
    await Promise.all([connection.channel('a').ready(), b.ready()]);
    /** @type {any} */
    let over;
    b.on('error', (error) => {
        over = error;
    });
    await broker.control(['revoke', 'u1', 'b']);
    await waitFor(() => over);
    assert.deepEqual([over.code, over.channels], ['revoked', ['b']]);
    await broker.publish({ channel: 'b', data: 0 }, { channel: 'a', data: 1 });
    await waitFor(() => events.length);
    assert.deepEqual(events, [1]);
});
