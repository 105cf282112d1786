/*
 * page: imports that run, and on demand the changes that they leave behind.
 * Each component says which channel it wants, and knows nothing of the others.
 */
import { useState } from 'react';
import { connect } from 'ssemux-client';
import { useChannel } from 'ssemux-client/react';
import { mount } from '../shared/page/mount.jsx';
import { userOfPage } from '../shared/page/session.jsx';
import { Status } from '../shared/page/status.jsx';

const connection = connect('/api/sse/stream', {
    first: 5000, longest: 60000, // between two tries
    heartbeat: 30, // the greeting does not say
    decode: ({ name, data }) => ({
        channel: name === 'manifest_changed' ? 'pending-changes' : 'jobs',
        type: name, data: JSON.parse(data) }),
});

const load = async (path) => (await fetch(path)).json();
const post = (path, body) => fetch(path, { method: 'POST',
    body: JSON.stringify(body) });

function Jobs() {
    const [jobs, setJobs] = useState({});
    const [loads, setLoads] = useState(0);
    /** All of them: what came before the stream, or was lost. */
    async function all() {
        const known = await load('/api/jobs');
        setJobs(Object.fromEntries(known.map((job) => [job.id, job])));
        setLoads((before) => before + 1);
    }
    useChannel(connection, 'jobs', {
        event: ({ data: job }) =>
            setJobs((before) => ({ ...before, [job.id]: job })),
        ready: all,
        resync: all,
    });
    const begin = (event) => {
        event.preventDefault();
        post('/api/imports',
            { folder: new FormData(event.target).get('folder') });
        event.target.reset();
    };
    return (
        <section aria-label="Jobs">
            <h2>Jobs</h2>
            <form onSubmit={begin}>
                <input name="folder" aria-label="Folder" required
                    placeholder="A folder of photos" />
                <button>Import</button>
            </form>
            <ul>{Object.values(jobs).map(({ id, task_type, status }) =>
                <li key={id}>{id}: {task_type}, {status}</li>)}
            </ul>
            <p className="note">Loads: {loads}. The rest came by the stream.</p>
        </section>
    );
}

function PendingChanges() {
    const [changes, setChanges] = useState([]);
    const all = async () => setChanges(await load('/api/changes'));
    useChannel(connection, 'pending-changes', {
        event: ({ data }) => setChanges((before) => [...before, data]),
        ready: all,
        resync: all,
    });
    return (
        <section aria-label="Pending changes">
            <h2>Pending changes</h2>
            <ul>{changes.map(({ project_folder, timestamp }) =>
                <li key={timestamp}>{project_folder}</li>)}
            </ul>
        </section>
    );
}

function Numbers() {
    const [stats, setStats] = useState();
    const look = async () => setStats(await load('/api/sse/stats'));
    return (
        <section aria-label="Numbers">
            <h2>What the broker says of you</h2>
            <button type="button" onClick={look}>Ask it</button>
            {stats && <dl>
                <dt>User</dt><dd>{stats.userId}</dd>
                <dt>Connections</dt><dd>{stats.userConnections}</dd>
                <dt>Of all users</dt><dd>{stats.totalConnections}</dd>
            </dl>}
        </section>
    );
}

function App() {
    const [changes, showChanges] = useState(false);
    return (
        <>
            <Status connection={connection}>
                <button type="button" aria-pressed={changes}
                    onClick={() => showChanges(!changes)}>
                    Pending changes</button>
            </Status>
            <div className="panels">
                <Jobs />
                {changes && <PendingChanges />}
                <Numbers />
            </div>
        </>
    );
}

const user = userOfPage();
if (user)
    await post('/api/session', { user }); // else the address is the user
mount(App);
