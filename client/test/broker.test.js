/* broker: the client on a real ssemuxd whose processes die. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect } from '../src/index.js';
import { latestOf } from '../src/latest.js';
import { Broker, waitFor } from './broker.js';

/** A connection with short waits. @param {any} t @param {string} url */
function open(t, url, options = {}) {
    const connection = connect(url, { first: 50, longest: 500, ...options });
    t.after(() => connection.close());
    /** @type {any[][]} */
    const [errors, resyncs] = [[], []];
    connection.on('error', (error) => errors.push(error));
    connection.on('resync', (resync) => resyncs.push(resync));
    return { connection, errors, resyncs };
}

/** @param {any} handle */
function heard(handle) {
    /** @type {any[]} */
    const data = [];
    handle.on('event', (/** @type {any} */ event) => data.push(event.data));
    return data;
}

const rows = (/** @type {string} */ channel, /** @type {number} */ from,
    /** @type {number} */ to) => Array.from({ length: to - from },
    (_, n) => ({ channel, data: from + n }));

test('events arrive, decoded, by channel', async (t) => {
    const broker = await Broker.start(t);
    const { connection } = open(t, broker.url);
    /** @type {any[]} */
    const events = [];
    const orders = connection.channel('org:42:*');
    orders.on('order.updated', (event) => events.push(event));
    await orders.ready();
    await broker.publish({ channel: 'org:42:orders', type: 'order.updated',
        key: 'ord_1', data: { status: 'shipped' } },
    { channel: 'org:7:orders', type: 'order.updated', data: 1 });
    await waitFor(() => events.length);
    const { cursor, ts, ...rest } = events[0];
    assert.deepEqual(rest, { channel: 'org:42:orders', type: 'order.updated',
        key: 'ord_1', data: { status: 'shipped' } });
    assert.match(cursor, /^\d+-\d+$/);
    assert.ok(Math.abs(Date.now() - ts) < 60000);
    assert.equal(connection.cursor, cursor);
});

test('killed workers cost neither an event nor a resync', async (t) => {
    const broker = await Broker.start(t);
    const { connection, resyncs } = open(t, broker.url);
    const [a, b] = [connection.channel('a'), connection.channel('b')];
    const [inA, inB] = [heard(a), heard(b)];
    await Promise.all([a.ready(), b.ready()]);
    let from = 0;
    for (let turn = 0; turn < 4; turn++) {
        const publishing = broker.publish(...rows('a', from, from + 200),
            ...rows('b', from, from + 200));
        await broker.killWorkers();
        await publishing;
        from += 200;
    }
    await waitFor(() => inA.length >= from && inB.length >= from);
    const all = rows('', 0, from).map(({ data }) => data);
    assert.deepEqual(inA, all);
    assert.deepEqual(inB, all);
    assert.deepEqual(resyncs, []);
    await waitFor(async () =>
        (await broker.stats()).totalConnections === 1);
});

test('a broker that is drained and started again is found', async (t) => {
    const broker = await Broker.start(t);
    const { connection, resyncs } = open(t, broker.url);
    /** @type {any[]} */
    const byes = [];
    connection.on('bye', (bye) => byes.push(bye));
    const a = connection.channel('a');
    const inA = heard(a);
    await a.ready();
    await broker.publish({ channel: 'a', data: 'before' });
    await waitFor(() => inA.length === 1);
    await broker.stop();
    await broker.run();
    await broker.publish({ channel: 'a', data: 'after' });
    await waitFor(() => inA.length === 2);
    assert.deepEqual(inA, ['before', 'after']);
    assert.deepEqual(byes, [{ reason: 'drain' }]);
    assert.deepEqual(resyncs, []);
});

test('only the channels that lost history are told to resync', async (t) => {
    const broker = await Broker.start(t, { 'history.max_events': '10',
        'broker.workers': '1' });
    let away = false;
    const { connection } = open(t, broker.url, { fetch: (
        /** @type {any} */ url, /** @type {any} */ init) =>
        away ? Promise.reject(new Error('away')) : fetch(url, init) });
    const handles = ['busy', 'quiet', 'other:*'].map((name) =>
        connection.channel(name));
    const inAll = handles.map(heard);
    /** @type {any[]} */
    const told = [];
    for (const handle of handles)
        handle.on('resync', ({ reason }) => told.push([handle.name, reason]));
    await Promise.all(handles.map((handle) => handle.ready()));
    await broker.publish({ channel: 'quiet', data: 'q' },
        { channel: 'other:1', data: 'o' }, { channel: 'busy', data: 'b' });
    await waitFor(() => inAll.every((data) => data.length));
    away = true;
    await broker.stop();
    await broker.run();
    await broker.publish(...rows('busy', 0, 3000));
    await waitFor(async () => (await broker.stats()).store_events <= 10,
        'history to be let go');
    await broker.stop(); // for workers remember more than history holds
    await broker.run();
    away = false;
    await waitFor(() => inAll[0].at(-1) === 2999);
    assert.deepEqual(told, [['busy', 'history']]);
    assert.deepEqual(inAll.slice(1), [['q'], ['o']]);
});

test('a publisher\'s resync reaches its channel', async (t) => {
    const broker = await Broker.start(t);
    const { connection } = open(t, broker.url);
    /** @type {any[]} */
    const told = [];
    for (const name of ['a', 'b', '*']) {
        const handle = connection.channel(name);
        handle.on('resync', ({ channels, reason }) =>
            told.push([name, channels, reason]));
        await handle.ready();
    }
    await broker.pub(['--resync', 'b']);
    await waitFor(() => told.length >= 2);
    assert.deepEqual(told.sort(), [['*', ['b'], 'publisher'],
        ['b', ['b'], 'publisher']]);
});

test('channels come and go on one connection while events flow', async (t) => {
    const broker = await Broker.start(t);
    const { connection, resyncs } = open(t, broker.url, { linger: 20 });
    const a = connection.channel('a');
    const inA = heard(a);
    await a.ready();
    let publishing = Promise.resolve();
    for (let turn = 0; turn < 10; turn++) {
        publishing = publishing.then(() =>
            broker.publish(...rows('a', turn * 50, turn * 50 + 50)));
        const handle = connection.channel('x:' + turn);
        const inX = heard(handle);
        await handle.ready();
        await broker.publish({ channel: 'x:' + turn, data: turn });
        await waitFor(() => inX.length);
        assert.deepEqual(inX, [turn]);
        if (turn % 2)
            handle.close();
    }
    await publishing;
    await waitFor(() => inA.length >= 500);
    assert.deepEqual(inA, rows('', 0, 500).map(({ data }) => data));
    assert.deepEqual(resyncs, []);
    await waitFor(async () =>
        (await broker.stats()).totalConnections === 1, 'one connection');
});

test('the end of all uses ends the connection at the broker', async (t) => {
    const broker = await Broker.start(t);
    const { connection } = open(t, broker.url, { linger: 0 });
    for (let turn = 0; turn < 3; turn++) {
        const stop = connection.channel('a').on('event', () => {});
        await waitFor(async () =>
            (await broker.stats()).totalConnections === 1, 'the stream');
        stop();
        await waitFor(async () =>
            (await broker.stats()).totalConnections === 0, 'its end');
    }
});

test('a silent network is noticed by the heartbeat', async (t) => {
    const broker = await Broker.start(t, { 'http.heartbeat': '1s',
        'broker.workers': '1' });
    const { connection, errors } = open(t, broker.url);
    const a = connection.channel('a');
    const inA = heard(a);
    await a.ready();
    const [worker] = broker.workers();
    process.kill(worker, 'SIGSTOP');
    await waitFor(() => errors.some(({ code }) => code === 'silent'));
    process.kill(worker, 'SIGCONT');
    await broker.publish({ channel: 'a', data: 1 });
    await waitFor(() => inA.length);
    assert.deepEqual(inA, [1]);
});

test('what the broker refuses is final, with its code', async (t) => {
    const broker = await Broker.start(t, { 'http.max_channels': '2' });
    const { connection, errors } = open(t, broker.url);
    const wait = ['a', 'b', 'c'].map((name) => connection.channel(name).ready());
    const results = await Promise.allSettled(wait);
    assert.deepEqual(results.map((result) =>
        /** @type {any} */ (result).reason?.code),
    Array(3).fill('channels-too-many'));
    assert.deepEqual(errors.map(({ status, final }) => [status, final]),
        [[400, true]]);
});

test('live=false: an iterator gets what there is, and ends', async (t) => {
    const broker = await Broker.start(t);
    await broker.publish(...rows('a', 0, 300));
    const { connection } = open(t, broker.url + '?live=false',
        { since: '-10m' });
    const seen = [];
    for await (const { data } of connection.channel('a'))
        seen.push(data);
    assert.deepEqual(seen, rows('', 0, 300).map(({ data }) => data));
});

test('what a channel keeps is there for who comes later, too', async (t) => {
    const broker = await Broker.start(t, { 'channel last:*.keep': 'latest' });
    await broker.publish(...['x', 'y', 'x'].map((key, data) =>
        ({ channel: 'last:b', key, data })));
    const { connection } = open(t, broker.url);
    const first = latestOf(connection, 'last:b');
    await waitFor(() => first.events.length === 2);
    await broker.publish({ channel: 'last:b', key: 'y', data: 9 });
    await waitFor(() => first.get('y')?.data === 9);
    const later = latestOf(connection, 'last:b');
    assert.deepEqual([later.get('x')?.data, later.get('y')?.data], [2, 9]);
    // A drop leaves it, and brings what was missed.
    await broker.stop();
    await waitFor(() => connection.state === 'waiting');
    assert.equal(later.events.length, 2);
    await broker.run();
    await broker.publish({ channel: 'last:b', key: 'z', data: 10 });
    await waitFor(() => later.get('z')?.data === 10);
    assert.deepEqual(later.events.map(({ data }) => data), [9, 2, 10]);
});

test('a channel that keeps the latest brings it, on one connection',
    async (t) => {
        const broker = await Broker.start(t,
            { 'channel last:*.keep': 'latest' });
        await broker.publish(...['x', 'y', 'x'].map((key, data) =>
            ({ channel: 'last:b', key, data })));
        const { connection } = open(t, broker.url + '?window=20ms');
        const a = connection.channel('a');
        await a.ready();
        /** @type {any[]} */
        const got = [];
        connection.channel('last:b').on('event',
            ({ key, data, snapshot }) => got.push([key, data, snapshot]));
        await waitFor(() => got.length === 2);
        await broker.publish({ channel: 'last:b', key: 'y', data: 9 });
        await waitFor(() => got.length === 3);
        assert.deepEqual(got, [['y', 1, true], ['x', 2, true],
            ['y', 9, undefined]]);
        // A component that is new while there is no stream.
        await broker.stop();
        await waitFor(() => connection.state === 'waiting');
        /** @type {any[]} */
        const later = [];
        connection.channel('last:*').on('event',
            ({ key, data }) => later.push([key, data]));
        connection.channel('last:c').on('event', () => {});
        await broker.run();
        await waitFor(() => connection.state === 'open');
        await broker.publish({ channel: 'last:c', key: 'z', data: 10 });
        await waitFor(() => later.some(([key]) => key === 'z'));
        assert.deepEqual(got.length, 3);
        await waitFor(async () =>
            (await broker.stats()).totalConnections === 1);
    });
