/*
 * status: what of the page is live, for who looks at it: the connection's state
 * and how many streams the broker counts, all windows together.
 */
import { useEffect, useState } from 'react';
import { useConnectionState } from 'ssemux-client/react';
import { reload } from './mount.jsx';

const WORDS = {
    open: 'live',
    connecting: 'connecting …',
    waiting: 'no connection; it will be tried again',
    idle: 'nothing is subscribed',
    closed: 'closed',
};

export function Status({ connection, children }) {
    const state = useConnectionState(connection);
    const [streams, setStreams] = useState();
    useEffect(() => {
        const look = () => fetch('/example/streams')
            .then((answer) => answer.json())
            .then(setStreams, () => setStreams(undefined));
        look();
        const timer = setInterval(look, 2000);
        return () => clearInterval(timer);
    }, [state]);
    return (
        <div className="status" data-state={state}>
            <span role="status" aria-label="Connection">{WORDS[state]}</span>
            <span className="note">
                Streams at the broker, of all windows: {streams ?? '?'}
            </span>
            {children}
            <button type="button" onClick={reload}>Reload the code</button>
        </div>
    );
}
