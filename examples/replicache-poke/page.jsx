/*
 * page: a list that Replicache keeps, pulled when the stream pokes; and on
 * demand the board, which has a poke of its own on the same stream.
 */
import { useEffect, useState } from 'react';
import { Replicache } from 'replicache';
import { connect } from 'ssemux-client';
import { useChannel } from 'ssemux-client/react';
import { pullOnPoke } from 'ssemux-client/replicache';
import { mount } from '../shared/page/mount.jsx';
import { createSession, People, userOfPage }
    from '../shared/page/session.jsx';
import { Status } from '../shared/page/status.jsx';

const PEOPLE = { ann: 'Ann', bob: 'Bob' };
const me = userOfPage('ann');
const session = createSession(me);
const mine = 'user:' + me;

const connection = connect('/api/v1/replicache/stream', {
    name: me,
    token: session.token,
    fixed: true,
    heartbeat: 30,
    decode({ data }) { // "connected" and "ping" are of no interest
        const channel = { sync: mine, board: 'board' }[data];
        return channel ? { channel } : null;
    },
});

/** Replicache takes the answer apart itself. */
async function send(path, body) {
    try {
        return { response: await session.request('POST', path, body),
            httpRequestInfo: { httpStatusCode: 200, errorMessage: '' } };
    } catch (error) {
        return { httpRequestInfo: { httpStatusCode: error.status ?? 503,
            errorMessage: error.message } };
    }
}

function createReplicache() {
    return new Replicache({
        name: me,
        kvStore: 'mem', // without it, it is kept in the browser
        pullInterval: null, // nobody asks; the stream tells
        pusher: (request) => send('/api/replicache/push', request),
        puller: (request) => send('/api/replicache/pull', request),
        mutators: {
            put: (tx, todo) => tx.set(todo.id, todo),
            remove: (tx, id) => tx.del(id),
        },
    });
}

function useTodos() {
    const [replicache, setReplicache] = useState();
    const [todos, setTodos] = useState([]);
    useEffect(() => {
        const made = createReplicache();
        const ends = [
            pullOnPoke(made, connection.channel(mine)),
            made.subscribe((tx) => tx.scan().values().toArray(),
                { onData: setTodos }),
            () => made.close(),
        ];
        setReplicache(made);
        return () => ends.forEach((end) => end());
    }, []);
    return { todos, mutate: replicache?.mutate };
}

function Todos() {
    const { todos, mutate } = useTodos();
    const add = (event) => {
        event.preventDefault();
        mutate.put({ id: Date.now() + '-' + Math.random(), done: false,
            text: new FormData(event.target).get('text') });
        event.target.reset();
    };
    return (
        <section aria-label="List">
            <h2>{PEOPLE[me]}’s list</h2>
            <form onSubmit={add}>
                <input name="text" aria-label="What" required
                    placeholder="What is to be done?" />
                <button>Add</button>
            </form>
            <ul>{todos.map((todo) =>
                <li key={todo.id} className="row">
                    <label className={todo.done ? 'done' : undefined}>
                        <input type="checkbox" checked={todo.done}
                            onChange={() => mutate.put(
                                { ...todo, done: !todo.done })} />
                        {' ' + todo.text}</label>
                    <button type="button" className="link"
                        onClick={() => mutate.remove(todo.id)}>Remove</button>
                </li>)}
            </ul>
        </section>
    );
}

function Board() {
    const [text, setText] = useState('');
    const load = async () =>
        setText(await session.request('GET', '/api/board'));
    useChannel(connection, 'board', { event: load, ready: load, resync: load });
    return (
        <section aria-label="Board">
            <h2>Everybody’s board</h2>
            <p><output>{text}</output></p>
            <form onSubmit={(event) => {
                event.preventDefault();
                session.request('PUT', '/api/board',
                    { text: new FormData(event.target).get('text') });
                event.target.reset();
            }}>
                <input name="text" aria-label="Text" required />
                <button>Write it</button>
            </form>
        </section>
    );
}

function Devices() {
    const [said, setSaid] = useState();
    const ask = (method, path) => async () => setSaid(await session.request(
        method, '/api/v1/replicache/' + path));
    return (
        <section aria-label="Devices">
            <h2>Your devices</h2>
            <div className="row">
                <button type="button" onClick={ask('POST', 'poke-user')}>
                    Poke them all</button>
                <button type="button" onClick={ask('GET', 'stats')}>
                    Count them</button>
            </div>
            {said && <dl>{Object.entries(said).map(([name, value]) => [
                <dt key={name}>{name}</dt>,
                <dd key={name + ' is'}>{String(value)}</dd>])}
            </dl>}
        </section>
    );
}

mount(function App() {
    const [board, showBoard] = useState(false);
    return (
        <>
            <People people={PEOPLE} me={me} />
            <Status connection={connection}>
                <button type="button" aria-pressed={board}
                    onClick={() => showBoard(!board)}>Board</button>
            </Status>
            <div className="panels">
                <Todos />
                <Devices />
                {board && <Board />}
            </div>
        </>
    );
});
