/*
 * connection: who uses which channel, and what they get: each event once, in
 * order, decoded. What the stream says comes in through the sink, from a stream
 * of our own or another tab's.
 */
import { createChannel } from './channel.js';
import { isAfter } from './cursor.js';
import { call } from './error.js';
import { covers, patternsOf } from './patterns.js';
import { openSource } from './source.js';
import { createUses, endAll, tell } from './uses.js';
/** @import {Connection, Message, SsemuxError, State} from './index.js' */
/** @import {Settings, Source, Use} from './internal.js' */

const NAME = /^([\w.:~@/-]{1,200}|([\w.:~@/-]{0,198}:)?\*)$/;

/**
 * @param {Settings} settings
 * @param {() => void} forget
 * @returns {Connection}
 */
export function createConnection(settings, forget) {
    const { env, url, linger, buffer, storage } = settings;
    const place = 'ssemux ' + settings.key; // in the storage
    const { uses: listeners, on, off } = createUses(() => () => {});
    /** @type {Map<string, {ready: boolean, uses: Set<Use>}>} */
    const channels = new Map();
    /** @type {State} */
    let state = 'idle';
    let cursor = storage?.getItem(place) ?? undefined;
    let scheduled = false;
    /** @type {SsemuxError | undefined} */
    let failure;

    /** What nobody hears and is bad goes to the console.
     * @param {string} name @param {any} value */
    function announce(name, value) {
        if ((name === 'malformed' || value.final) &&
            ![...listeners].some((use) => use[name]))
            console.error('ssemux:', value.error ?? value);
        tell(listeners, name, value);
    }

    // ---- who uses what

    /** Returns what follows its end. @param {string} name @param {Use} use */
    function begin(name, use) {
        let channel = channels.get(name);
        if (state === 'closed') {
            queueMicrotask(() => endAll([use], failure));
            return () => {};
        }
        if (!channel) {
            channel = { ready: false, uses: new Set() };
            channels.set(name, channel);
            changed();
        }
        const { ready, uses } = channel;
        const isLeft = () => !uses.size && channels.get(name) === channel;
        uses.add(use);
        if (ready)
            queueMicrotask(() => use.ready?.(name));
        return () => {
            uses.delete(use);
            // It may be wanted again at once, by a page that is drawn anew.
            if (isLeft())
                env.setTimeout(() => {
                    if (isLeft()) {
                        channels.delete(name);
                        changed();
                    }
                }, linger);
        };
    }

    /** Says once, after all changes of this moment, which channels it is. */
    function changed() {
        if (scheduled)
            return;
        scheduled = true;
        queueMicrotask(() => {
            scheduled = false;
            if (!channels.size && !storage)
                cursor = undefined; // the next one begins anew
            ask('want', [...channels.keys()]);
        });
    }

    /** @param {keyof Source} method @param {any} [what] */
    async function ask(method, what) {
        (await source)[method](what);
    }

    /** @param {State} next */
    function become(next) {
        if (state === next || state === 'closed')
            return;
        state = next;
        announce('state', state);
    }

    /** Over and out. @param {SsemuxError} [error] */
    function close(error) {
        if (state === 'closed')
            return;
        failure = error;
        become('closed');
        forget();
        ask('close');
        end(channels, error);
    }

    /** @param {Iterable<[string, {uses: Set<Use>}]>} over
     * @param {SsemuxError} [error] */
    function end(over, error) {
        for (const [name, { uses }] of over) {
            channels.delete(name);
            endAll(uses, error);
        }
    }

    /**
     * The channels that these patterns stand for, or have a part in.
     * @param {string[]} patterns
     * @param {'in part'} [how]
     */
    function concerned(patterns, how) {
        const here = patterns.map((name) => settings.rename?.(name) ?? name);
        return [...channels].filter(([name]) => here.some((pattern) =>
            covers(pattern, name) || (how && covers(name, pattern))));
    }

    // ---- what comes

    /** @param {string | null | undefined} to */
    function reach(to) {
        if (!to || !isAfter(to, cursor) || state === 'closed')
            return;
        cursor = to;
        call(() => storage?.setItem(place, to)); // it may be full
    }

    /** @param {Message} message */
    function take(message) {
        const own = message.own ? message.id : '';
        if (own && !isAfter(own, cursor))
            return; // it came before the stream broke off
        let event;
        try {
            event = settings.decode ? settings.decode(message) :
                JSON.parse(message.data); // the format `tagged`
            if (event && typeof event.channel !== 'string')
                throw new TypeError('no channel');
        } catch (error) {
            event = null;
            announce('malformed', { error, message });
        }
        reach(own);
        if (event)
            give(Object.assign(event, { cursor: own }));
    }

    /** @param {any} event */
    function give(event) {
        for (const name of patternsOf(event.channel)) {
            const channel = channels.get(name);
            if (channel?.ready)
                tell(channel.uses, 'event', event);
        }
    }

    const source = openSource(settings, {
        state: become,
        message: take,
        reached: reach,
        cursor: () => cursor,
        restart(to) {
            cursor = to;
        },
        ready(names) {
            for (const name of names) {
                const channel = channels.get(name);
                if (channel && !channel.ready) {
                    channel.ready = true;
                    tell(channel.uses, 'ready', name);
                }
            }
        },
        resync(resync) {
            announce('resync', resync);
            for (const [, { uses }] of concerned(resync.channels, 'in part'))
                tell(uses, 'resync', resync);
        },
        refused(error) {
            end(concerned(error.channels), error);
            announce('error', error);
        },
        error(error) {
            announce('error', error);
            if (error.final)
                close(error);
        },
        notice(name, info) {
            announce(name, info);
            if (name === 'bye' && info.reason === 'end')
                close(); // all that was asked for has come
        },
    });

    return {
        url, off,
        on: (name, listener) => on(name, listener),
        close: () => close(),
        get state() {
            return state;
        },
        get cursor() {
            return cursor;
        },
        channel(name) {
            if (!NAME.test(name))
                throw new TypeError('no channel: ' + name);
            return createChannel(name, (use) => begin(name, use), buffer);
        },
        renew: (token) => ask('renew', token),
    };
}
