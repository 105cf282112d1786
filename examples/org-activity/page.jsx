/*
 * page: the activity of the user's organisation, or of what is public, and on
 * demand the notices to everybody, which come on the same stream.
 */
import { useState, useSyncExternalStore } from 'react';
import { connect } from 'ssemux-client';
import { useChannel } from 'ssemux-client/react';
import { mount } from '../shared/page/mount.jsx';
import { createSession, People, userOfPage }
    from '../shared/page/session.jsx';
import { Status } from '../shared/page/status.jsx';
import { Feed } from './feed.js';

const PEOPLE = { ann: 'Ann of Acme', bob: 'Bob of Acme, who sees pages',
    cyd: 'Cyd of Zenith', anybody: 'anybody' };
const ORGANISATIONS = { ann: 'acme', bob: 'acme', cyd: 'zenith' };

const me = userOfPage('ann');
const organisation = ORGANISATIONS[me];
const session = organisation && createSession(me);
const path = organisation ? '/activity/org' : '/activity/public';
const channel = organisation ? 'org:' + organisation : 'public:page';

const connection = connect(path, {
    name: me,
    token: session?.token,
    fixed: true, // the token says which channels
    since: '-1', // everything there is, then live
    parameters: { since: 'offset' },
    decode({ name, data }) {
        const value = JSON.parse(data);
        if (name === 'offset')
            return { channel: 'marker', data: value };
        return { channel: name === 'notice.posted' ? 'broadcast' : channel,
            type: name, data: value };
    },
});

/** Held by the page, so that reloaded code finds it as it is. */
const feed = window[Symbol.for('feed')] ??= new Feed(connection, channel,
    () => session ? session.request('GET', '/api/activity') : []);

/** Everything that the broker has, as a file would be made of it. */
async function count() {
    const answer = await fetch(`${path}?offset=-1&live=false`, session &&
        { headers: { Authorization: 'Bearer ' + await session.token() } });
    return (await answer.text()).split('\n')
        .filter((line) => line.startsWith('id: ')).length;
}

function Row({ row }) {
    if (row.marker)
        return <li className="marker">
            ▲ new since {row.marker} ▲</li>;
    if (row.gap)
        return <li className="marker">{row.gap}</li>;
    const { thing, entity, action, title, by } = row;
    const change = (method, body) => () =>
        session.request(method, '/api/things/' + thing, body);
    return (
        <li className="row">
            <span>{by} {action} the {entity} “{title}”</span>
            {session && action !== 'deleted' && <>
                <button type="button" className="link" onClick={
                    change('PATCH', { title: title + '!' })}>Stress it</button>
                <button type="button" className="link" onClick={
                    change('DELETE')}>Delete</button>
            </>}
        </li>
    );
}

function Activity() {
    const rows = useSyncExternalStore(feed.watch, () => feed.rows);
    const [exported, setExported] = useState();
    return (
        <section aria-label="Activity">
            <h2>{organisation ? 'At ' + organisation : 'In public'}</h2>
            <ul>{rows.map((row, at) => <Row key={rows.length - at} row={row} />)}
            </ul>
            <p className="note">{feed.received} events received</p>
            <button type="button" onClick={async () =>
                setExported(await count())}>Export</button>
            {exported !== undefined && <p className="note">
                The broker has {exported} events for you.</p>}
        </section>
    );
}

function Make() {
    const make = (event) => {
        event.preventDefault();
        const form = new FormData(event.target);
        session.request('POST', '/api/things', { entity: form.get('entity'),
            title: form.get('title'), isPublic: form.has('public') });
        event.target.reset();
    };
    return (
        <section aria-label="New">
            <h2>Make something</h2>
            <form onSubmit={make}>
                <select name="entity" aria-label="Kind">
                    <option>page</option>
                    {me !== 'bob' && <option>file</option>}
                </select>
                <input name="title" aria-label="Title" placeholder="Title"
                    required />
                <label><input type="checkbox" name="public" /> public</label>
                <button>Make it</button>
            </form>
        </section>
    );
}

function Notices() {
    const [notices, setNotices] = useState([]);
    useChannel(connection, 'broadcast', {
        event: ({ data }) => setNotices((before) => [data, ...before]) });
    return (
        <section aria-label="Notices">
            <h2>Notices to all organisations</h2>
            <form onSubmit={(event) => {
                event.preventDefault();
                session.request('POST', '/api/notices',
                    { text: new FormData(event.target).get('text') });
                event.target.reset();
            }}>
                <input name="text" aria-label="Notice" required />
                <button>Post it</button>
            </form>
            <ul>{notices.map(({ text, by }, at) =>
                <li key={notices.length - at}>{by}: {text}</li>)}</ul>
            <p className="note">Those that come while this is open.</p>
        </section>
    );
}

mount(function App() {
    const [notices, showNotices] = useState(false);
    return (
        <>
            <People people={PEOPLE} me={me} />
            <Status connection={connection}>
                {session && <button type="button" aria-pressed={notices}
                    onClick={() => showNotices(!notices)}>Notices</button>}
            </Status>
            <div className="panels">
                <Activity />
                {session && <Make />}
                {notices && <Notices />}
            </div>
        </>
    );
});
