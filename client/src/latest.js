/*
 * latest: of a channel that keeps the latest, the last event of each key, once
 * for all users on a page. The broker brings these to the first use of the
 * channel alone; who comes later finds them here.
 */
import { call } from './error.js';
/** @import {ChannelEvent, Channel, Connection} from './index.js' */
/** @import {Latest} from './latest.js' */

/** By connection and channel.
 * @type {WeakMap<Connection, Map<string, Latest<any>>>} */
const known = new WeakMap();

/** @type {typeof import('./latest.js').latestOf} */
export function latestOf(connection, name) {
    const here = known.get(connection) ?? new Map();
    known.set(connection, here);
    if (!here.has(name))
        here.set(name, createLatest(connection.channel(name),
            () => here.delete(name)));
    return here.get(name);
}

/**
 * @param {Channel} channel
 * @param {() => void} forget
 * @returns {Latest<any>}
 */
function createLatest(channel, forget) {
    /** @type {Map<string, ChannelEvent>} */
    const events = new Map();
    /** @type {Set<() => void>} */
    const listeners = new Set();
    /** The events, until one changes. @type {ChannelEvent[] | undefined} */
    let list;
    let scheduled = false;

    /** Says so once, after all events of this moment. */
    function changed() {
        list = undefined;
        if (scheduled)
            return;
        scheduled = true;
        queueMicrotask(() => {
            scheduled = false;
            [...listeners].forEach(call);
        });
    }

    channel.on('resync', ({ reason }) => {
        if (reason === 'cursor') { // another log; what it has comes next
            events.clear();
            changed();
        }
    });
    channel.subscribe({
        next(event) {
            events.set(placeOf(event.channel, event.key), event);
            changed();
        },
        error: forget,
        complete: forget,
    });
    return {
        get: (key, name = channel.name) => events.get(placeOf(name, key)),
        get events() {
            return list ??= [...events.values()];
        },
        subscribe(listener) {
            listeners.add(listener);
            return () => {
                listeners.delete(listener);
            };
        },
        ready: channel.ready,
        close: channel.close,
    };
}

/** A channel's name has no space.
 * @param {string} channel @param {string} [key] */
function placeOf(channel, key = '') {
    return channel + ' ' + key;
}
