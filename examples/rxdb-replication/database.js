/*
 * database: collections that replicate with the backend. What others write
 * comes by the stream, and is pulled only when the stream says RESYNC.
 */
import { createRxDatabase } from 'rxdb/plugins/core';
import { replicateRxCollection } from 'rxdb/plugins/replication';
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory';
import { pullStreams } from 'ssemux-client/rxdb';

const schema = { version: 0, primaryKey: 'id', type: 'object', properties: {
    id: { type: 'string', maxLength: 100 },
    text: { type: 'string' },
    done: { type: 'boolean' },
    at: { type: 'number' },
} };

/** Each is called as the stream tags it. */
const ENTITIES = { tasks: 'tasks', notes: 'notes' };

let count = 0;

/**
 * @param {any} connection
 * @param {ReturnType<import('../shared/page/session.jsx').createSession>}
 *     session
 */
export async function openDatabase(connection, session) {
    // A Subject for each entity, at once, fed in the background.
    const { streams, close } = pullStreams(connection, ENTITIES);
    // In memory here; elsewhere Dexie's storage keeps it in the browser.
    const database = await createRxDatabase({ name: `app ${count++}`,
        storage: getRxStorageMemory(), multiInstance: false });
    await database.addCollections({ tasks: { schema }, notes: { schema } });
    for (const entity of Object.keys(ENTITIES)) {
        replicateRxCollection({
            collection: database[entity],
            replicationIdentifier: entity,
            retryTime: 1000,
            pull: {
                stream$: streams[entity],
                handler: (last, limit) => session.request('GET',
                    `/api/${entity}?after=${last?.at ?? 0}&limit=${limit}`),
            },
            push: {
                handler: (rows) =>
                    session.request('POST', `/api/${entity}`, rows),
            },
        });
    }
    return { database, close() {
        close();
        return database.close();
    } };
}
