/*
 * shared: a tab's part in the connection that all tabs of its origin share.
 * One of them, or a SharedWorker, is the leader and holds the stream; every
 * tab, the leader's too, tells it what it wants and hears what comes. A tab
 * holds a lock of its own while it is there, so that the leader notices its
 * end, however it comes about; who gets the lock of the key is the leader.
 */
import { isAfter } from './cursor.js';
import { SsemuxError } from './error.js';
import { Leader, lockName, tabLock } from './leader.js';
import { createStream } from './stream.js';
import { listenForWaking } from './wakers.js';
/** @import {Settings, Sink, Source} from './internal.js' */

/**
 * Where the browser, or the page's origin, cannot, a stream of its own.
 * @param {Settings} settings @param {Sink} sink
 * @returns {Source}
 */
export function openShared(settings, sink) {
    const { env, shared } = settings;
    const wires = shared === true ? env.BroadcastChannel :
        typeof shared === 'function' || env.SharedWorker;
    return env.navigator?.locks && wires ? new Tab(settings, sink) :
        createStream(settings, sink);
}

/** @implements {Source} */
class Tab {
    #id = String(Math.random()).slice(2);
    /** @type {string[]} */
    #channels = [];
    /** @type {string | undefined} */
    #cursor;
    #behind = false;
    /** Ends its being there. */
    #here = new AbortController();
    /** @type {any} */
    #wire;
    #over = new AbortController();

    /** @param {Settings} settings @param {Sink} sink */
    constructor(settings, sink) {
        this.settings = settings;
        this.sink = sink;
        const { env } = settings;
        const { signal } = this.#over;
        listenForWaking(env, signal, () => this.#say('wake'));
        env.addEventListener?.('pagehide', () => this.#leave(), { signal });
        env.addEventListener?.('pageshow', this.#show, { signal });
        this.#join();
    }

    /** @param {string[]} channels */
    want(channels) {
        this.#channels = channels;
        this.#cursor = channels.length ? this.sink.cursor() : undefined;
        this.#say('want', channels, this.#cursor);
        if (!channels.length)
            this.sink.state('idle');
    }

    /** @param {string} [token] */
    renew(token) {
        if (token !== undefined)
            this.settings.token = token;
        this.#say('renew', token);
    }

    close() {
        this.#over.abort();
        this.#leave();
    }

    // ---- being there

    /** The page comes back from where it was frozen. What was said to the
     * others meanwhile, nobody knows.
     * @param {{persisted: boolean}} event */
    #show = ({ persisted }) => {
        if (!persisted)
            return;
        this.#join();
        if (this.#channels.length)
            this.sink.resync({ channels: this.#channels, reason: 'page' });
    };

    async #join() {
        const { env, key } = this.settings;
        const { signal } = this.#here = new AbortController();
        await new Promise((held) => {
            hold(env, tabLock(key, this.#id), signal, () => held(undefined));
        });
        if (signal.aborted)
            return;
        this.#wire = this.#connect(signal);
        this.#wire.onmessage = (/** @type {MessageEvent} */ { data }) =>
            signal.aborted || this.#hear(data);
        this.#say('want', this.#channels, this.#cursor);
    }

    #leave() {
        this.#here.abort();
        this.#wire?.close();
        this.#wire = undefined;
    }

    /** The wire to the leader. @param {AbortSignal} signal */
    #connect(signal) {
        const { env, key, shared } = this.settings;
        if (shared === true) {
            hold(env, lockName(key), signal, () => this.#lead(signal));
            return new env.BroadcastChannel(lockName(key));
        }
        const { port } = typeof shared === 'function' ? shared() :
            new env.SharedWorker(new URL('./worker.js', import.meta.url),
                { type: 'module', name: 'ssemux-client' });
        const { env: _env, storage: _storage, ...rest } = this.settings;
        port.postMessage(JSON.parse(JSON.stringify(rest)));
        return port;
    }

    /** From now on it is this tab. @param {AbortSignal} signal */
    #lead(signal) {
        const { env, key } = this.settings;
        const wire = new env.BroadcastChannel(lockName(key));
        const leader = new Leader(this.settings,
            (message) => wire.postMessage(message));
        wire.onmessage = (/** @type {MessageEvent} */ { data }) =>
            'tab' in data && leader.hear(data);
        signal.addEventListener('abort', () => {
            leader.close();
            wire.close();
        });
    }

    // ---- speaking with the leader

    /** @param {string} method @param {any[]} args */
    #say(method, ...args) {
        this.#wire?.postMessage({ tab: this.#id, method, args });
    }

    /** @param {any} message */
    #hear({ tab, method, args, before }) {
        if (tab !== undefined)
            return; // another one, to the leader
        if (method === 'hello')
            this.#say('want', this.#channels, this.#cursor);
        else if (method === 'ask')
            this.#answer();
        else if (this.#channels.length && this.#follow(method, args, before))
            /** @type {any} */ (this.sink)[method](...args.map(revived));
    }

    /**
     * Keeps the cursor. False: what comes before has been missed; it will come
     * again.
     * @param {string} method @param {any[]} args @param {string} before
     */
    #follow(method, args, before) {
        if (method === 'restart')
            this.#cursor = args[0];
        if (method !== 'message' && method !== 'reached')
            return true;
        const behind = before && this.#cursor && isAfter(before, this.#cursor);
        if (behind && !this.#behind)
            this.#say('behind', this.#cursor);
        this.#behind = Boolean(behind);
        const cursor = args[0]?.id ?? args[0];
        if (!behind && cursor && isAfter(cursor, this.#cursor))
            this.#cursor = cursor;
        return !behind;
    }

    async #answer() {
        const { token } = this.settings;
        this.#say('token', typeof token === 'function' ?
            await token({ reason: 'connect' }) : token);
    }
}

/** @param {any} value */
function revived(value) {
    return value?.code === undefined ? value :
        new SsemuxError(value.message, value);
}

/**
 * Holds the lock from when it gets it until the signal.
 * @param {any} env @param {string} name @param {AbortSignal} signal
 * @param {() => void} got
 */
function hold(env, name, signal, got) {
    env.navigator.locks.request(name, { signal }, () => {
        got();
        return new Promise((release) => {
            if (signal.aborted)
                release(undefined);
            signal.addEventListener('abort', release);
        });
    }).catch(() => {});
}
