/*
 * react: hooks. A component that is mounted twice, hidden and shown, or
 * replaced by a hot reload, keeps its channel and makes no second connection:
 * the channel is held for as long as the next one takes to come.
 */
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';

const NAMES = ['event', 'resync', 'ready', 'error'];

/** @type {typeof import('./react.js').useChannel} */
export function useChannel(connection, name, handlers) {
    const latest = useRef(handlers);
    useEffect(() => {
        latest.current = handlers;
    });
    useEffect(() => {
        if (!connection || !name)
            return undefined;
        const channel = connection.channel(name);
        for (const key of NAMES) {
            channel.on(key, (/** @type {any} */ value) => {
                const handler = /** @type {any} */ (latest.current)[key];
                handler?.(value);
            });
        }
        return () => channel.close();
    }, [connection, name]);
}

/** @type {typeof import('./react.js').useLatest} */
export function useLatest(connection, name, type) {
    const [held, setHeld] = useState(/** @type {any} */ (
        { connection, name, type }));
    // Of another channel there is none yet: no picture shows the old one's.
    if (held.connection !== connection || held.name !== name ||
        held.type !== type)
        setHeld({ connection, name, type });
    useChannel(connection, name, {
        event(event) {
            if (type === undefined || event.type === type)
                setHeld({ connection, name, type, event });
        },
    });
    return held.event;
}

/** @type {typeof import('./react.js').useConnectionState} */
export function useConnectionState(connection) {
    return useSyncExternalStore((changed) => connection.on('state', changed),
        () => connection.state, () => 'idle');
}
