/* adapter_replicache: a real Replicache pulls when it is poked. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Replicache } from 'replicache';
import { pullOnPoke } from '../src/adapters/replicache.js';
import { settle } from './fake_page.js';
import { page } from './fixture.js';
import { waitFor } from './broker.js';

/** @param {any} t */
async function replica(t) {
    const server = { todos: /** @type {Record<string, string>} */ ({}),
        pulls: 0 };
    const replicache = new Replicache({ name: 'user', kvStore: 'mem',
        pullInterval: null, mutators: {}, logLevel: 'error',
        puller: async () => {
            server.pulls++;
            return { httpRequestInfo: { httpStatusCode: 200, errorMessage: '' },
                response: { cookie: server.pulls, lastMutationIDChanges: {},
                    patch: Object.entries(server.todos).map(([key, value]) =>
                        ({ op: /** @type {const} */ ('put'), key, value })) } };
        } });
    t.after(() => replicache.close());
    const read = () => replicache.query((tx) => tx.get('todo'));
    await waitFor(() => server.pulls); // its first one
    return { server, replicache, read };
}

test('a poke brings what the server has', async (t) => {
    const { server, replicache, read } = await replica(t);
    const { broker, connection } = page();
    const stop = pullOnPoke(replicache, connection.channel('user:u1'), 'sync');
    await settle();
    server.todos.todo = 'milk';
    broker.publish('user:u1', 'sync', 'sync');
    await waitFor(async () => await read() === 'milk');
    const { pulls } = server;
    broker.publish('user:u1', 'other', 'other');
    stop();
    broker.publish('user:u1', 'sync', 'sync');
    await settle();
    assert.equal(server.pulls, pulls);
});

test('plain pokes of a stream that only says "sync"', async (t) => {
    const { server, replicache, read } = await replica(t);
    const { broker, connection } = page({ fixed: true, decode: (
        /** @type {any} */ { data }) => data === 'sync' ?
            { channel: 'pokes' } : null });
    pullOnPoke(replicache, connection.channel('pokes'));
    await settle();
    server.todos.todo = 'bread';
    for (const data of ['connected', 'ping', 'sync'])
        broker.stream.write(`data: ${data}\n\n`);
    await waitFor(async () => await read() === 'bread');
});

test('pokes that may be lost, and what came before, are pulled too',
    async (t) => {
        const { server, replicache, read } = await replica(t);
        const { broker, connection } = page();
        server.todos.todo = 'before';
        pullOnPoke(replicache, connection.channel('user:u1'), 'sync');
        await waitFor(async () => await read() === 'before');
        server.todos.todo = 'after';
        broker.stream.control('resync', { channels: ['user:u1'],
            reason: 'history' });
        await waitFor(async () => await read() === 'after');
    });

test('a pull that fails harms nobody', async () => {
    const { broker, connection } = page();
    let count = 0;
    pullOnPoke({ pull: async () => {
        count++;
        throw new Error('closed');
    } }, connection.channel('a'));
    await settle();
    broker.publish('a');
    await settle();
    assert.equal(count, 2); // ready, and the event
});
