/* adapter_tanstack_query: a channel keeps a real query cache fresh. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { QueryClient, QueryObserver } from '@tanstack/query-core';
import { keepFresh } from '../src/adapters/tanstack-query.js';
import { waitFor } from './broker.js';
import { settle } from './fake_page.js';
import { page } from './fixture.js';

const rules = {
    describe: (/** @type {any} */ { type, data }) => ({
        detail: ['order', data.id],
        patch: type === 'order.updated' ? data.patch : undefined,
        lists: [['orders']],
        ts: data.ts,
    }),
    all: [['orders'], ['order']],
};

/** A cache whose orders come from a server that counts. @param {any} t */
async function shop(t) {
    const { broker, connection } = page();
    const client = new QueryClient({
        defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
    client.mount();
    const server = { detail: 0, list: 0,
        order: { id: '1', status: 'new', ts: 100 } };
    const watch = (/** @type {any} */ queryKey, /** @type {any} */ queryFn) =>
        new QueryObserver(client, { queryKey, queryFn }).subscribe(() => {});
    const ends = [
        watch(['order', '1'], async () => {
            server.detail++;
            return server.order;
        }),
        watch(['orders'], async () => {
            server.list++;
            await new Promise((resolve) => setTimeout(resolve, 5));
            return [server.order];
        }),
    ];
    await waitFor(() => client.getQueryData(['order', '1']) &&
        client.getQueryData(['orders']));
    t.after(() => {
        ends.forEach((end) => end());
        client.clear();
        client.unmount();
    });
    const stop = keepFresh(client, connection.channel('orders'), rules);
    // What was fetched before the channel was ready is fetched again.
    await waitFor(() => server.detail === 2 && server.list === 2 &&
        !client.isFetching());
    return { broker, connection, client, server, stop,
        held: () => /** @type {any} */ (client.getQueryData(['order', '1'])),
        update: (/** @type {any} */ patch, /** @type {number} */ ts) =>
            broker.publish('orders', { id: '1', patch, ts }, 'order.updated') };
}

test('an update patches the detail, without a fetch', async (t) => {
    const { server, held, update } = await shop(t);
    update({ status: 'shipped', ts: 200 }, 200);
    await settle();
    assert.deepEqual(held(), { id: '1', status: 'shipped', ts: 200 });
    await waitFor(() => server.list === 3);
    assert.equal(server.detail, 2);
});

test('what is older than the cache changes nothing', async (t) => {
    const { held, update, server } = await shop(t);
    update({ status: 'older than what was fetched' }, 99);
    update({ status: 'shipped' }, 300);
    update({ status: 'older than the last event' }, 299);
    await settle();
    assert.deepEqual(held(), { id: '1', status: 'shipped', ts: 100 });
    await waitFor(() => server.list === 3);
});

test('fifty events in a moment fetch the list once', async (t) => {
    const { server, update, held, client } = await shop(t);
    for (let n = 0; n < 50; n++)
        update({ n }, 200 + n);
    await settle();
    assert.equal(held().n, 49);
    await waitFor(() => server.list === 3 && !client.isFetching());
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(server.list, 3);
});

test('what the cache does not have stays away', async (t) => {
    const { client, broker, server } = await shop(t);
    broker.publish('orders', { id: '2', patch: { x: 1 }, ts: 1 },
        'order.updated');
    broker.publish('orders', { id: '3', ts: 1 }, 'order.created');
    await waitFor(() => server.list === 3);
    assert.equal(client.getQueryData(['order', '2']), undefined);
    assert.equal(client.getQueryData(['order', '3']), undefined);
});

test('a patch may be a function, and an event of no interest', async (t) => {
    const { connection, client, broker } = await shop(t);
    keepFresh(client, connection.channel('counts'), {
        describe: ({ type }) => type === 'skip' ? null :
            { detail: ['order', '1'], ts: 900,
                patch: (held) => ({ ...held, n: (held.n ?? 0) + 1 }) } });
    await settle();
    broker.publish('counts', {}, 'skip');
    broker.publish('counts');
    broker.publish('counts');
    await settle();
    assert.equal(/** @type {any} */ (
        client.getQueryData(['order', '1'])).n, 2);
});

test('resync fetches all anew, once', async (t) => {
    const { broker, server, client, held } = await shop(t);
    server.order = { id: '1', status: 'lost', ts: 500 };
    for (const channel of ['orders', '*', 'orders'])
        broker.stream.control('resync', { channels: [channel] });
    await waitFor(() => held().status === 'lost');
    await waitFor(() => !client.isFetching());
    assert.deepEqual([server.detail, server.list], [3, 3]);
});

/** Holds back the answers of a query until release().
 * @param {any} client @param {any[]} queryKey @param {any} answer */
function slow(client, queryKey, answer) {
    let release = () => {};
    let count = 0;
    const queryFn = () => {
        count++;
        return new Promise((resolve) => {
            release = () => resolve(answer);
        });
    };
    const observer = new QueryObserver(client, { queryKey, queryFn });
    return { end: observer.subscribe(() => {}), observer,
        release: () => release(), count: () => count };
}

test('an answer that was on its way does not go back in time', async (t) => {
    const { client, update, held, broker } = await shop(t);
    const { observer, release, end } = slow(client, ['order', '2'],
        { id: '2', status: 'old', note: 'kept' });
    broker.publish('orders', { id: '2', ts: 1, patch: { status: 'first' } },
        'order.updated');
    await settle();
    release(); // its first answer
    await waitFor(() => client.getQueryData(['order', '2']));
    assert.deepEqual(client.getQueryData(['order', '2']),
        { id: '2', status: 'first', note: 'kept' });
    observer.refetch();
    broker.publish('orders', { id: '2', ts: 2, patch: { status: 'second' } },
        'order.updated');
    await settle();
    release();
    await waitFor(() => !client.isFetching({ queryKey: ['order', '2'] }));
    assert.equal(/** @type {any} */ (
        client.getQueryData(['order', '2'])).status, 'second');
    update({ status: 'shipped' }, 200);
    await settle();
    assert.equal(held().status, 'shipped');
    end();
});

test('more patches than are kept: it is fetched once more', async (t) => {
    const { client, broker } = await shop(t);
    const { release, end, count } = slow(client, ['order', '2'], { id: '2' });
    for (let n = 0; n < 150; n++)
        broker.publish('orders', { id: '2', ts: n, patch: { n } },
            'order.updated');
    await settle();
    release();
    await waitFor(() => count() === 2);
    end();
});

test('a list that was on its way is fetched once more behind it', async (t) => {
    const { client, update } = await shop(t);
    const { observer, release, end, count } =
        slow(client, ['orders', 'open'], []);
    release();
    await waitFor(() => !client.isFetching());
    observer.refetch();
    for (let n = 0; n < 5; n++) {
        update({ n }, 200 + n);
        await settle();
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(count(), 2);
    release();
    await waitFor(() => count() === 3);
    release();
    await waitFor(() => !client.isFetching());
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(count(), 3);
    end();
});

test('the end ends it', async (t) => {
    const { update, held, stop } = await shop(t);
    stop();
    update({ status: 'late' }, 999);
    await settle();
    assert.equal(held().status, 'new');
});
