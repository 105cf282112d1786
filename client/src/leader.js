/*
 * leader: holds the one stream of an origin's tabs, and passes on to all of
 * them what it says. Lives in one of the tabs, or in a SharedWorker.
 *
 * It posts {method, args, before}: a method of `Sink`, or "hello" (say what you
 * want) or "ask" (for a token). `before` is the cursor that a tab must have
 * reached, else it has missed something and says so. Tabs say {tab, method,
 * args}.
 */
import { isAfter } from './cursor.js';
import { createStream } from './stream.js';
/** @import {State} from './index.js' */
/** @import {Settings, Sink} from './internal.js' */

/** Tabs that are there answer within so many ms. */
const GATHER_MS = 50;

export class Leader {
    /** What each tab wants. @type {Map<string, string[]>} */
    #tabs = new Map();
    #gathering = true;
    /** The stream's. @type {State} */
    #state = 'idle';
    /** From these nothing is lost. @type {Set<string>} */
    #ready = new Set();
    /** @type {string | undefined} */
    #cursor;
    #over = new AbortController();
    /** Wait for a token. @type {((token: any) => void)[]} */
    #asking = [];

    /**
     * @param {Settings} settings
     * @param {(message: any) => void} send to all tabs
     * @param {(tab: string) => void} [gone]
     */
    constructor(settings, send, gone = () => {}) {
        this.settings = settings;
        this.send = send;
        this.gone = gone;
        this.stream = createStream(settings, this.#sink());
        this.#post('hello');
        settings.env.setTimeout(() => {
            this.#gathering = false;
            this.#update();
        }, GATHER_MS);
    }

    close() {
        this.#over.abort();
        this.stream.close();
    }

    /** A token from whichever tab has one first. */
    ask() {
        return new Promise((resolve) => {
            this.#asking.push(resolve);
            this.#post('ask');
        });
    }

    /** @param {string} method @param {any[]} args */
    #post(method, ...args) {
        this.send({ method, args });
    }

    /** @param {any} message */
    hear({ tab, method, args }) {
        if (this.#over.signal.aborted)
            return;
        switch (method) {
        case 'want':
            this.#want(tab, args[0], args[1]);
            break;
        case 'behind':
            if (isAfter(/** @type {string} */ (this.#cursor), args[0])) {
                this.#cursor = args[0];
                this.stream.close();
                this.stream = createStream(this.settings, this.#sink());
                this.#update();
            }
            break;
        case 'token':
            this.#asking.splice(0).forEach((resolve) => resolve(args[0]));
            break;
        case 'renew':
            this.stream.renew(args[0]);
            break;
        case 'wake':
            this.stream.wake();
        }
    }

    /** @param {string} tab @param {string[]} channels @param {string} [cursor] */
    #want(tab, channels, cursor) {
        const { env, key } = this.settings;
        if (!this.#tabs.has(tab))
            env.navigator?.locks?.request(tabLock(key, tab),
                { signal: this.#over.signal }, () => this.#drop(tab))
                .catch(() => {});
        this.#tabs.set(tab, channels);
        // All came as far as the last leader; who did not is the measure.
        if (this.#gathering && cursor &&
            (!this.#cursor || isAfter(this.#cursor, cursor)))
            this.#cursor = cursor;
        this.#update();
        this.#post('state', this.#state);
        this.#post('ready', channels.filter((name) => this.#ready.has(name)));
    }

    /** @param {string} tab */
    #drop(tab) {
        if (this.#tabs.delete(tab)) {
            this.gone(tab);
            this.#update();
        }
    }

    #update() {
        if (this.#gathering)
            return;
        const wanted = new Set([...this.#tabs.values()].flat());
        this.stream.want([...wanted]);
        for (const name of this.#ready)
            wanted.has(name) || this.#ready.delete(name);
        if (!wanted.size)
            this.#cursor = undefined; // the next one begins anew
    }

    /** @returns {Sink} */
    #sink() {
        const pass = (/** @type {string} */ method) =>
            (/** @type {any[]} */ ...args) => this.#post(method, ...args);
        /** @param {string} method @param {any} value
         * @param {string | null | undefined} cursor */
        const advance = (method, value, cursor) => {
            this.send({ method, args: [value], before: this.#cursor });
            if (cursor && isAfter(cursor, this.#cursor))
                this.#cursor = cursor;
        };
        return {
            message: (message) => advance('message', message, message.id),
            reached: (cursor) => advance('reached', cursor, cursor),
            cursor: () => this.#cursor,
            restart: (cursor) => {
                this.#cursor = cursor;
                this.#post('restart', cursor);
            },
            state: (state) => {
                this.#state = state;
                this.#post('state', state);
            },
            ready: (channels) => {
                channels.forEach((name) => this.#ready.add(name));
                this.#post('ready', channels);
            },
            resync: pass('resync'), notice: pass('notice'),
            // An error loses its members on the way.
            refused: (error) => this.#post('refused', plain(error)),
            error: (error) => this.#post('error', plain(error)),
        };
    }
}

/** @param {import('./error.js').SsemuxError} error */
function plain(error) {
    return { ...error, message: error.message };
}

/** The leader's lock, and the tabs' channel. @param {string} key */
export function lockName(key) {
    return 'ssemux-client/1 ' + key;
}

/** The lock that a tab holds while it is there.
 * @param {string} key @param {string} tab */
export function tabLock(key, tab) {
    return lockName(key) + ' ' + tab;
}
