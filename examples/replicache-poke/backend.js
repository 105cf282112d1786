/*
 * backend: a list of things to do for each user, as Replicache pushes and pulls
 * it, and a board with one text for everybody. What it publishes is no data,
 * but that there are some.
 */
import { userOf } from '../shared/front.js';
import { login } from '../shared/tokens.js';

/** What a client's mutators do, done to the user's own todos. */
const mutations = {
    put: (todos, todo, version) => todos.set(todo.id, { ...todo, version }),
    remove: (todos, id, version) => todos.set(id, { gone: true, version }),
};

export function backend({ publish, secret, tokenSeconds }) {
    const spaces = new Map();
    let board = 'Welcome';

    function spaceOf(claims) {
        const user = userOf(claims);
        if (!spaces.has(user))
            spaces.set(user, { version: 0, todos: new Map(),
                clients: new Map() });
        return spaces.get(user);
    }

    function push({ body: { mutations: list }, claims }) {
        const space = spaceOf(claims);
        for (const { id, clientID, name, args } of list) {
            if (id <= (space.clients.get(clientID)?.last ?? 0))
                continue; // again
            const version = ++space.version;
            space.clients.set(clientID, { last: id, version });
            mutations[name]?.(space.todos, args, version);
        }
        return publish('user:' + claims.sub, { type: 'sync', data: 'sync' });
    }

    function pull({ body: { cookie }, claims }) {
        const { version, todos, clients } = spaceOf(claims);
        // Another server's, before it was started anew: all from the start.
        const since = cookie > version ? 0 : cookie ?? 0;
        const patch = [...todos].filter(([, todo]) => todo.version > since)
            .map(([key, { gone, version: _, ...value }]) => gone ?
                { op: 'del', key } : { op: 'put', key, value });
        return { cookie: Math.max(version, cookie ?? 0), patch,
            lastMutationIDChanges: Object.fromEntries([...clients]
                .filter(([, client]) => client.version > since)
                .map(([id, { last }]) => [id, last])) };
    }

    return {
        'POST /api/login': login(secret, tokenSeconds, () => ({})),
        'POST /api/replicache/push': push,
        'POST /api/replicache/pull': pull,
        'GET /api/board': () => board,
        'PUT /api/board': ({ body, claims }) => {
            userOf(claims);
            board = String(body.text);
            return publish('board', { data: 'board' });
        },
    };
}
