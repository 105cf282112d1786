/*
 * connection: who uses which channel, and what they get: each event once, in
 * order, decoded. What the stream says comes in through the sink, from a stream
 * of our own or another tab's.
 */
import { createChannel } from './channel.js';
import { isAfter } from './cursor.js';
import { createEmitter } from './emitter.js';
import { call } from './error.js';
import { covers, patternsOf } from './patterns.js';
/** @import {Connection, Message, SsemuxError, State} from './index.js' */
/** @import {Settings, Sink, Source, Use} from './internal.js' */

const NAME = /^([\w.:~@/-]{1,200}|([\w.:~@/-]{0,198}:)?\*)$/;

/**
 * @param {Settings} settings
 * @param {(sink: Sink) => Source} createSource
 * @param {() => void} forget
 * @returns {Connection}
 */
export function createConnection(settings, createSource, forget) {
    const { env, url, linger, buffer, storage } = settings;
    const place = 'ssemux ' + settings.key; // in the storage
    const { on, off, emit } = createEmitter();
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
    function tell(name, value) {
        if (!emit(name, value) && (name === 'malformed' || value.final))
            console.error('ssemux:', value.error ?? value);
    }

    // ---- who uses what

    /** @param {string} name @param {Use} use */
    function begin(name, use) {
        if (state === 'closed') {
            queueMicrotask(() => use.end?.(failure));
            return;
        }
        const channel = channels.get(name) ?? { ready: false, uses: new Set() };
        if (!channels.has(name)) {
            channels.set(name, channel);
            changed();
        }
        channel.uses.add(use);
        if (channel.ready)
            queueMicrotask(() => use.ready?.(name));
    }

    /** @param {string} name @param {Use} use */
    function end(name, use) {
        const channel = channels.get(name);
        if (!channel?.uses.delete(use) || channel.uses.size)
            return;
        // It may be wanted again at once, by a page that is drawn anew.
        env.setTimeout(() => {
            if (!channel.uses.size && channels.get(name) === channel) {
                channels.delete(name);
                changed();
            }
        }, linger);
    }

    /** Says once, after all changes of this moment, which channels it is. */
    function changed() {
        if (scheduled)
            return;
        scheduled = true;
        queueMicrotask(() => {
            scheduled = false;
            source.want([...channels.keys()], cursor);
            if (!channels.size && !storage)
                cursor = undefined;
        });
    }

    /** @param {State} next */
    function become(next) {
        if (state === next || state === 'closed')
            return;
        state = next;
        tell('state', state);
    }

    /** Over and out. @param {SsemuxError} [error] */
    function close(error) {
        if (state === 'closed')
            return;
        failure = error;
        become('closed');
        forget();
        source.close();
        for (const { uses } of channels.values())
            each(uses, (use) => use.end?.(error));
        channels.clear();
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

    /** @param {string} to */
    function reach(to) {
        if (!to || !isAfter(to, cursor))
            return;
        cursor = to;
        call(() => storage?.setItem(place, to), 0); // it may be full
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
            tell('malformed', { error, message });
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
                each(channel.uses, (use) => use.event?.(event));
        }
    }

    const source = createSource({
        state: become,
        message: take,
        reached: reach,
        restart(to) {
            cursor = to;
        },
        ready(names) {
            for (const name of names) {
                const channel = channels.get(name);
                if (channel && !channel.ready) {
                    channel.ready = true;
                    each(channel.uses, (use) => use.ready?.(name));
                }
            }
        },
        resync(resync) {
            tell('resync', resync);
            for (const [, { uses }] of concerned(resync.channels,
                'in part'))
                each(uses, (use) => use.resync?.(resync));
        },
        refused(error) {
            for (const [name, { uses }] of concerned(error.channels)) {
                channels.delete(name);
                each(uses, (use) => use.end?.(error));
            }
            tell('error', error);
        },
        error(error) {
            tell('error', error);
            if (error.final)
                close(error);
        },
        notice: tell,
        end: () => close(),
    });

    return {
        url, on, off,
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
            return createChannel(name, begin, end, buffer);
        },
        renew: (token) => source.renew(token),
    };
}

/**
 * Those of this moment, less those that go meanwhile.
 * @param {Set<Use>} uses
 * @param {(use: Use) => void} say
 */
function each(uses, say) {
    for (const use of [...uses])
        uses.has(use) && say(use);
}
