/*
 * backend: pages and files of two organisations. What happens to them is
 * recorded here, then published to the organisation's channel, and to the
 * public's when it is a public page.
 */
import { Refusal, userOf } from '../shared/front.js';
import { login } from '../shared/tokens.js';

const USERS = {
    ann: { org: ['acme'], sees: ['page', 'file'] },
    bob: { org: ['acme'], sees: ['page'] },
    cyd: { org: ['zenith'], sees: ['page', 'file'] },
};
const KEPT = 150; // of the record

export function backend({ publish, secret, tokenSeconds }) {
    const things = new Map();
    const record = [];
    let count = 0;

    function happen(thing, action, by) {
        const { entity, org, title } = thing;
        const data = { id: ++count, thing: thing.id, org, entity, action, title,
            by };
        record.push(data);
        record.splice(0, record.length - KEPT);
        const event = { type: `${entity}.${action}`, key: thing.id, data };
        return Promise.all([publish('org:' + org, event),
            thing.isPublic && publish('public:page', event)]);
    }

    /** A thing that the caller may change. */
    function mine(id, claims) {
        const { org } = USERS[userOf(claims)];
        const thing = things.get(id);
        if (!thing || !org.includes(thing.org))
            throw new Refusal(404, 'There is no such thing.');
        return thing;
    }

    return {
        'POST /api/login': login(secret, tokenSeconds, (user) => {
            if (!USERS[user])
                throw new Refusal(403, 'Nobody of that name is known.');
            return USERS[user];
        }),
        'POST /api/things': ({ body: { entity, title, isPublic }, claims }) => {
            const user = userOf(claims);
            if (!USERS[user].sees.includes(entity))
                throw new Refusal(403, 'Not yours to make.');
            const thing = { id: 'thing_' + (things.size + 1), entity, title,
                isPublic: isPublic && entity === 'page',
                org: USERS[user].org[0] };
            things.set(thing.id, thing);
            return happen(thing, 'created', user);
        },
        'PATCH /api/things/:id': ({ id, body: { title }, claims }) => {
            const thing = mine(id, claims);
            thing.title = title;
            return happen(thing, 'updated', claims.sub);
        },
        'DELETE /api/things/:id': ({ id, claims }) => {
            const thing = mine(id, claims);
            things.delete(id);
            return happen(thing, 'deleted', claims.sub);
        },
        'POST /api/notices': ({ body: { text }, claims }) =>
            publish('broadcast', { type: 'notice.posted',
                data: { text, by: userOf(claims) } }),
        /** For who has missed more than the broker keeps. */
        'GET /api/activity': ({ claims }) => {
            const { org, sees } = USERS[userOf(claims)];
            return record.filter((event) => org.includes(event.org) &&
                sees.includes(event.entity));
        },
    };
}
