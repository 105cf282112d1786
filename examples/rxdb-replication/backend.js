/*
 * backend: the documents of each user, by entity, as RxDB pulls and pushes
 * them. What was pushed is published with the checkpoint after it, so that
 * nobody has to pull; after a bulk import it is the word RESYNC.
 */
import { Refusal, userOf } from '../shared/front.js';
import { login } from '../shared/tokens.js';

const ENTITIES = ['tasks', 'notes'];

/** What is compared: all but when it was written. */
const essence = ({ at, ...rest }) => JSON.stringify(
    Object.entries(rest).sort());

export function backend({ publish, secret, tokenSeconds }) {
    /** By user and entity. */
    const collections = new Map();

    function collectionOf(claims, entity) {
        if (!ENTITIES.includes(entity))
            throw new Refusal(404, 'There is no such entity.');
        const channel = `user:${userOf(claims)}:${entity}`;
        if (!collections.has(channel))
            collections.set(channel, { channel, at: 0, documents: new Map() });
        return collections.get(channel);
    }

    /** Writes it as the newest. */
    function write(collection, document) {
        const written = { ...document, at: ++collection.at };
        collection.documents.set(document.id, written);
        return written;
    }

    function pull({ entity, query, claims }) {
        const { documents } = collectionOf(claims, entity);
        const after = Number(query.get('after'));
        const found = [...documents.values()].filter(({ at }) => at > after)
            .sort((a, b) => a.at - b.at).slice(0, Number(query.get('limit')));
        return { documents: found,
            checkpoint: { at: found.at(-1)?.at ?? after } };
    }

    /** Answers with what is here in place of what could not be written. */
    async function push({ entity, body: rows, claims }) {
        const collection = collectionOf(claims, entity);
        const conflicts = [];
        const documents = [];
        for (const { assumedMasterState, newDocumentState } of rows) {
            const here = collection.documents.get(newDocumentState.id);
            if (here && (!assumedMasterState ||
                essence(here) !== essence(assumedMasterState)))
                conflicts.push(here);
            else
                documents.push(write(collection, newDocumentState));
        }
        if (documents.length)
            await publish(collection.channel, { data: { documents,
                checkpoint: { at: collection.at } } });
        return conflicts;
    }

    return {
        'POST /api/login': login(secret, tokenSeconds, () => ({})),
        'GET /api/:entity': pull,
        'POST /api/:entity': push,
        'POST /api/:entity/import': ({ entity, body: { count }, claims }) => {
            const collection = collectionOf(claims, entity);
            for (let n = 0; n < Math.min(count, 1000); n++)
                write(collection, { id: `import ${collection.at + 1}`,
                    text: `Imported ${n + 1}`, done: false, _deleted: false });
            return publish(collection.channel, { data: 'RESYNC' });
        },
    };
}
