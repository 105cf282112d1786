/*
 * page: the tasks, and on demand the notes: queries of the database, and what
 * is written goes there, too.
 */
import { useEffect, useState } from 'react';
import { connect } from 'ssemux-client';
import { envelope } from 'ssemux-client/rxdb';
import { mount } from '../shared/page/mount.jsx';
import { createSession, People, userOfPage }
    from '../shared/page/session.jsx';
import { Status } from '../shared/page/status.jsx';
import { openDatabase } from './database.js';

const PEOPLE = { ann: 'Ann', bob: 'Bob' };
const SHOWN = 12;
const me = userOfPage('ann');
const session = createSession(me);
const connection = connect('/replication',
    { ...envelope, name: me, token: session.token });

/** The database, for as long as the page's components are there. */
function useDatabase() {
    const [database, setDatabase] = useState();
    useEffect(() => {
        const opening = openDatabase(connection, session);
        opening.then((opened) => setDatabase(opened.database));
        return () => {
            setDatabase(undefined);
            opening.then((opened) => opened.close());
        };
    }, []);
    return database;
}

/** The documents of a collection, as they change. */
function useDocuments(collection) {
    const [documents, setDocuments] = useState([]);
    useEffect(() => {
        const found = collection.find().$.subscribe(setDocuments);
        return () => found.unsubscribe();
    }, [collection]);
    return documents;
}

function Entity({ collection, title, one, children }) {
    const documents = useDocuments(collection);
    const add = (event) => {
        event.preventDefault();
        collection.insert({ id: `${me} ${Date.now()} ${Math.random()}`,
            text: new FormData(event.target).get('text'), done: false });
        event.target.reset();
    };
    const rows = documents.slice(-SHOWN);
    return (
        <section aria-label={title}>
            <h2>{title}</h2>
            <form onSubmit={add}>
                <input name="text" aria-label={one} required
                    placeholder={`A ${one.toLowerCase()}`} />
                <button>Add</button>
            </form>
            <ul>{rows.map((document) =>
                <li key={document.id} className="row">
                    <label className={document.done ? 'done' : undefined}>
                        <input type="checkbox" checked={document.done}
                            onChange={() => document.incrementalPatch(
                                { done: !document.done })} />
                        {' ' + document.text}</label>
                    <button type="button" className="link"
                        onClick={() => document.incrementalRemove()}>
                        Remove</button>
                </li>)}
            </ul>
            <p className="note">{documents.length} in the database</p>
            {children}
        </section>
    );
}

function App() {
    const database = useDatabase();
    const [notes, showNotes] = useState(false);
    return (
        <>
            <People people={PEOPLE} me={me} />
            <Status connection={connection}>
                <button type="button" aria-pressed={notes}
                    onClick={() => showNotes(!notes)}>Notes</button>
            </Status>
            {database && <div className="panels">
                <Entity collection={database.tasks} title="Tasks" one="Task">
                    <button type="button" onClick={() => session.request(
                        'POST', '/api/tasks/import', { count: 200 })}>
                        Import 200</button>
                </Entity>
                {notes && <Entity collection={database.notes} title="Notes"
                    one="Note" />}
            </div>}
        </>
    );
}

mount(App);
