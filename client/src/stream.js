/*
 * stream: the one stream to the broker, and its returns. Owns the request, the
 * timers and the cursor; says what comes to its sink; knows nothing of who
 * listens. Other channels may be wanted at any moment: the change goes to the
 * live stream by POST, and where the broker cannot do that, by opening it anew
 * at the cursor, which loses nothing either.
 */
import { changeStream } from './change.js';
import { SsemuxError } from './error.js';
import { openByFetch } from './fetch.js';
import { createPatience } from './patience.js';
import { covers } from './patterns.js';
import { listenForWaking } from './wakers.js';
import { createWatchdog } from './watchdog.js';
/** @import {Message, State} from './index.js' */
/** @import {Settings, Sink, Stream} from './internal.js' */

/**
 * @param {Settings} settings
 * @param {Sink} sink
 * @returns {Stream}
 */
export function createStream(settings, sink) {
    const { env, fixed, transport } = settings;
    const [waitFor, relax, setRetry, isDue] = createPatience(settings);
    const [expect, heard, look, unwatch] = createWatchdog(env,
        () => end('silent'));
    /** @type {State} */
    let state = 'idle';
    /** @type {string[]} */
    let wanted = [];
    /** What the broker was asked for last. @type {string[]} */
    let asked = [];
    /** Of these the latest events are on their way. @type {string[]} */
    let coming = [];
    let changes = !fixed; // live streams can be changed, as far as is known
    let marked = false; // this broker says when a stream has caught up
    let changing = false;
    let native = false;
    /** The stream's id and first cursor, when it said them.
     * @type {{stream?: string, cursor?: string}} */
    let hello = {};
    let life = new AbortController(); // of one stream
    /** Why it ended: "network", "silent" or "bye"; by our own wish: none.
     * @type {string | undefined} */
    let why;
    /** Ends what is waited for: the stream, or the time until the next. */
    let resume = (/** @type {unknown} */ _result) => {};

    /** @param {State} next */
    function become(next) {
        if (state !== 'closed')
            sink.state(state = next);
    }

    /** Ends what goes on now. @param {string} [reason] */
    function end(reason) {
        why = reason;
        resume(undefined);
    }

    /** @param {string} reason */
    async function token(reason) {
        return typeof settings.token === 'function' ?
            settings.token({ reason }) : settings.token;
    }

    /** @param {unknown} error */
    function told(error) {
        return error instanceof SsemuxError ? error :
            new SsemuxError(error, { code: why });
    }

    // ---- one try after the other

    async function run() {
        const awake = new AbortController();
        listenForWaking(env, awake.signal, wake);
        while (wanted.length) {
            const wait = next(await attempt());
            if (wait && wanted.length)
                await pause(wait);
        }
        awake.abort();
        marked = false;
        become('idle');
    }

    /** @param {number} ms */
    async function pause(ms) {
        become('waiting');
        let timer;
        await new Promise((resolve) => {
            resume = resolve;
            timer = env.setTimeout(resolve, ms);
        });
        env.clearTimeout(timer);
    }

    function wake() {
        if (state !== 'waiting') {
            look();
        } else if (isDue()) {
            relax();
            resume(undefined);
        }
    }

    /** Opens the stream and reads it to its end; what went wrong. */
    async function attempt() {
        const { signal } = life = new AbortController();
        why = 'network';
        become('connecting');
        expect(settings.timeout);
        const failure = await new Promise((resolve) => {
            resume = resolve;
            open(signal).then(resolve, resolve);
        });
        life.abort();
        unwatch();
        hello = {};
        return failure;
    }

    /** @param {AbortSignal} signal */
    async function open(signal) {
        const bearer = await token('connect');
        native = transport === 'eventsource' && env.EventSource && !bearer;
        const transfer = native ?
            (await import('./event-source.js')).openByEventSource : openByFetch;
        if (signal.aborted)
            return;
        // The cursor is of channels that were there. To a cursor there is no
        // snapshot: what is new, or has not got its own, is added later.
        asked = marked && changes ? asked.filter((name) =>
            wanted.includes(name) && !coming.includes(name)) : wanted;
        if (!asked.length) {
            asked = wanted;
            sink.restart(undefined);
            marked = false;
        }
        await transfer(settings, { channels: asked, token: bearer,
            cursor: sink.cursor() }, {
            message: take,
            retry: setRetry,
            comment: thrive,
            alive: () => native ? expect(0) : heard(),
        }, signal);
    }

    /** What to do after a stream's end: ms until the next try.
     * @param {any} failure */
    function next(failure) {
        if (!why)
            return 0;
        if (why === 'bye')
            return waitFor(0, true);
        const error = told(failure ?? why);
        if (error.code === 'channels-refused') {
            refuse(error.code, asked, error.message);
            return 0;
        }
        sink.error(error);
        if (error.final)
            wanted = [];
        return waitFor(error.wait, false);
    }

    // ---- what the stream says

    /** @param {Message} message */
    function take(message) {
        const control = !message.own && controls[message.name];
        if (control) {
            control(parsed(message.data));
            return;
        }
        thrive();
        sink.message(message);
    }

    /** @type {Record<string, (info: any) => void>} */
    const controls = {
        // @ts-ignore: no name is inherited
        __proto__: null,
        connected: opened,
        ping: thrive,
        live(info) {
            thrive();
            sink.reached(info.cursor);
            marked = true;
            coming = [];
            sink.ready(asked);
            sink.notice('live', info);
        },
        resync(info) {
            if (info.reason === 'cursor')
                sink.restart(hello.cursor ?? undefined);
            sink.resync(info);
        },
        snapshot(info) {
            coming = info.channels ?? [];
            sink.notice('snapshot', info);
        },
        subscribed: ({ channels = [] }) => sink.ready(channels),
        revoked: ({ channels }) => refuse('revoked', channels),
        'token-expiring'(info) {
            if (typeof settings.token === 'function')
                renew();
            else
                sink.notice('token-expiring', info);
        },
        bye(info) {
            sink.notice('bye', info);
            end('bye');
        },
    };

    /** The stream stands. @param {any} info what `connected` says, if any */
    function opened(info) {
        if (state === 'open')
            return;
        const heartbeat = info.heartbeat ?? settings.heartbeat;
        hello = info;
        expect(heartbeat && !native ? heartbeat * 2000 + 1000 : 0);
        become('open');
        sink.reached(info.cursor);
        refuse('channels-refused', info.refused);
        // What is new beside old channels gets old events until it is live.
        if (!marked)
            sink.ready(asked);
        settle();
    }

    /** The stream stands, and does what it should. */
    function thrive() {
        opened({});
        relax();
    }

    /** These channels are over.
     * @param {string} code @param {string[]} channels */
    function refuse(code, channels = [], text = code) {
        if (!channels.length)
            return;
        const stays = (/** @type {string} */ name) =>
            !channels.some((channel) => covers(channel, name));
        wanted = wanted.filter(stays);
        asked = asked.filter(stays);
        sink.refused(new SsemuxError(text + ': ' + channels,
            { code, status: 403, final: true, channels }));
        if (!wanted.length)
            end();
    }

    // ---- changes of the live stream

    /** Nothing comes where the stream has no id.
     * @param {string} reason @param {object} [change] */
    async function post(reason, change) {
        const { signal } = life;
        const { stream } = hello;
        return stream && changeStream(settings, stream, await token(reason),
            change, signal);
    }

    /** Brings it to the channels that are wanted. */
    async function settle() {
        const subscribe = less(wanted, asked);
        const unsubscribe = less(asked, wanted);
        if (state !== 'open' || changing ||
            !(subscribe.length || unsubscribe.length))
            return;
        if (fixed) { // it has them all
            sink.ready(subscribe);
            return;
        }
        changing = true;
        await change(subscribe, unsubscribe);
        changing = false;
        settle();
    }

    /** @param {string[]} subscribe @param {string[]} unsubscribe */
    async function change(subscribe, unsubscribe) {
        const { signal } = life;
        const target = wanted;
        try {
            const { channels, refused = [] } =
                await post('change', { subscribe, unsubscribe });
            if (signal.aborted)
                return;
            // A broker that only renews tokens answers, too.
            if (less(unsubscribe, channels).length < unsubscribe.length ||
                less(subscribe, channels.concat(refused)).length)
                throw 0;
            asked = target;
            changes = true;
            sink.ready(subscribe);
            refuse('channels-refused', refused);
        } catch (/** @type {any} */ { code, status, message }) {
            if (signal.aborted)
                return;
            if (subscribe.length &&
                (status === 400 || code === 'channels-refused'))
                refuse(code, subscribe, message);
            else {
                changes = false;
                end();
            }
        }
    }

    /** @param {string} [bearer] */
    async function renew(bearer) {
        const { signal } = life;
        settings.token = bearer ?? settings.token;
        try {
            await post('expiring');
        } catch (/** @type {any} */ error) {
            if (signal.aborted)
                return;
            if (error.status)
                end(); // the next stream begins with the new one
            else
                sink.error(told(error)); // the old one holds for a while
        }
    }

    return {
        renew, wake,
        want(channels) {
            wanted = channels;
            if (!wanted.length)
                end();
            else if (state === 'idle')
                run();
            else
                settle();
        },
        close() {
            state = 'closed'; // and says no more
            wanted = [];
            end();
        },
    };
}

/** What a message says; {} if it words it otherwise. @param {string} data */
function parsed(data) {
    try {
        return JSON.parse(data) ?? {};
    } catch {
        return {};
    }
}

/** @param {string[]} these @param {string[]} those */
function less(these, those) {
    return these.filter((name) => !those.includes(name));
}
