/* adapter_rxdb: a real RxDB replicates from channels. */
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import test from 'node:test';
import { createRxDatabase } from 'rxdb/plugins/core';
import { replicateRxCollection } from 'rxdb/plugins/replication';
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory';
import { envelope, pullStreamOf, pullStreams }
    from '../src/adapters/rxdb.js';
import { waitFor } from './broker.js';
import { settle } from './fake_page.js';
import { page } from './fixture.js';

/** @type {any} */ (globalThis).crypto ??= webcrypto; // Node 18 has none

const schema = { version: 0, primaryKey: 'id', type: 'object', properties: {
    id: { type: 'string', maxLength: 50 }, n: { type: 'number' } } };
let count = 0;

/** A database whose collections replicate from these streams; the server has
 * documents by entity, and counts pulls.
 * @param {any} t @param {Record<string, any>} streams */
async function replicate(t, streams) {
    const database = await createRxDatabase({ name: 'test' + count++,
        storage: getRxStorageMemory(), multiInstance: false });
    t.after(() => database.close());
    /** @type {any} */
    const server = {};
    for (const [entity, stream$] of Object.entries(streams)) {
        const { [entity]: collection } = /** @type {any} */ (
            await database.addCollections({ [entity]: { schema:
                /** @type {any} */ (schema) } }));
        const side = server[entity] = { pulls: 0, documents:
            /** @type {any[]} */ ([]), async read() {
            return Object.fromEntries((await collection.find().exec()).map(
                (/** @type {any} */ { id, n }) => [id, n]));
        } };
        const state = replicateRxCollection({ collection,
            replicationIdentifier: entity, pull: { stream$,
                handler: async (/** @type {any} */ last) => {
                    side.pulls++;
                    const from = last?.at ?? 0;
                    return { documents: side.documents.slice(from),
                        checkpoint: { at: side.documents.length } };
                } } });
        await state.awaitInitialReplication();
    }
    return server;
}

/** Has it pull once more, so that afterwards none is on its way; how often it
 * has pulled. @param {any} broker @param {string} channel @param {any} side */
async function calm(broker, channel, side) {
    await settle();
    const { pulls } = side;
    broker.publish(channel, 'RESYNC');
    await waitFor(() => side.pulls > pulls);
    return side.pulls;
}

const row = (/** @type {string} */ id, /** @type {number} */ n) =>
    ({ id, n, _deleted: false });

test('documents of an event are there without a pull', async (t) => {
    const { broker, connection } = page();
    const { users } = await replicate(t,
        { users: pullStreamOf(connection.channel('users')) });
    const pulls = await calm(broker, 'users', users);
    broker.publish('users', { documents: [row('1', 1)],
        checkpoint: { at: 1 } });
    await waitFor(async () => (await users.read())['1'] === 1);
    broker.publish('users', { documents: [row('1', 2), row('2', 2)],
        checkpoint: { at: 2 } });
    await waitFor(async () => (await users.read())['2'] === 2);
    assert.deepEqual(await users.read(), { 1: 2, 2: 2 });
    assert.equal(users.pulls, pulls);
});

test('an event without a checkpoint is skipped', async (t) => {
    const { broker, connection } = page();
    const { users } = await replicate(t,
        { users: pullStreamOf(connection.channel('users')) });
    await settle();
    for (const data of [{ documents: [row('1', 1)], checkpoint: null },
        { documents: [row('1', 1)] }, null, 'text', 7])
        broker.publish('users', data);
    broker.publish('users', { documents: [row('2', 2)],
        checkpoint: { at: 1 } });
    await waitFor(async () => (await users.read())['2'] === 2);
    assert.deepEqual(await users.read(), { 2: 2 });
});

test('RESYNC, the publisher\'s or the broker\'s, lets one entity pull alone',
    async (t) => {
        const { broker, connection } = page();
        const { streams, close } = pullStreams(connection,
            { users: 'org:1:users', tasks: 'org:1:tasks' });
        const { users, tasks } = await replicate(t, streams);
        const pulls = await calm(broker, 'org:1:tasks', tasks);
        users.documents.push(row('1', 1));
        broker.publish('org:1:users', 'RESYNC');
        await waitFor(async () => (await users.read())['1'] === 1);
        users.documents.push(row('2', 2));
        broker.stream.control('resync', { channels: ['org:1:users'],
            reason: 'history' });
        await waitFor(async () => (await users.read())['2'] === 2);
        assert.equal(tasks.pulls, pulls);
        close();
    });

test('a drop costs no pull, and nothing goes back in time', async (t) => {
    const { broker, connection, clock } = page();
    const { users } = await replicate(t,
        { users: pullStreamOf(connection.channel('users')) });
    const pulls = await calm(broker, 'users', users);
    const send = (/** @type {number} */ n) => broker.publish('users',
        { documents: [row('1', n)], checkpoint: { at: n } });
    for (let n = 1; n < 10; n++) {
        send(n);
        await settle();
        // A broker that resends everything.
        broker.plans = [(/** @type {any} */ request) =>
            broker.openStream({ ...request, last: '0-0' })];
        broker.stream.cut();
        await clock.advance(1000);
        await waitFor(async () => (await users.read())['1'] === n);
    }
    assert.equal(users.pulls, pulls);
    assert.equal(broker.opened.length, 10);
});

test('Subjects are there at once, and end with close', async () => {
    const { broker, connection, clock } = page();
    const { streams, close } = pullStreams(connection, { a: 'x:a', b: 'x:b' });
    /** @type {any[]} */
    const said = [];
    streams.a.subscribe({ next: (event) => said.push(event),
        complete: () => said.push('end') });
    await settle();
    assert.deepEqual(said.splice(0), ['RESYNC']); // ready
    broker.publish('x:a', 'RESYNC');
    broker.publish('x:b', 'RESYNC');
    await settle();
    close();
    assert.deepEqual(said, ['RESYNC', 'end']);
    await clock.advance(1000);
    assert.equal(broker.live.length, 0);
});

test('events in an envelope; a resync finds its entity', async () => {
    const { broker, connection } = page(envelope);
    const { streams } = pullStreams(connection,
        { users: 'users', tasks: 'tasks' });
    /** @type {any[]} */
    const said = [];
    streams.users.subscribe((event) => said.push(['users', event]));
    streams.tasks.subscribe((event) => said.push(['tasks', event]));
    await settle();
    assert.deepEqual(said.splice(0), [['users', 'RESYNC'], ['tasks', 'RESYNC']]);
    broker.stream.write('id: 1000-1\ndata: {"type":"users","event":"RESYNC"}' +
        '\n\nid: 1000-2\ndata: {"type":"others","event":"RESYNC"}\n\n');
    broker.stream.control('resync', { channels: ['user:u1:tasks'] });
    await settle();
    assert.deepEqual(said.splice(0), [['users', 'RESYNC'], ['tasks', 'RESYNC']]);
    broker.stream.control('resync', { channels: ['user:u1:*'] });
    await settle();
    assert.deepEqual(said, [['users', 'RESYNC'], ['tasks', 'RESYNC']]);
});
