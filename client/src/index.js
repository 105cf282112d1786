/*
 * ssemux-client: connect(), and the one connection there is per URL. The
 * contract is index.d.ts.
 */
import { createConnection } from './connection.js';
import { SsemuxError } from './error.js';
import { createStream } from './stream.js';
/** @import {Connection, Options} from './index.js' */
/** @import {Settings, Sink, Source} from './internal.js' */

export { SsemuxError };

const DEFAULTS = { first: 1000, longest: 30000, timeout: 30000, linger: 1000,
    buffer: 10000 };

/** Where connections are found again, also by another copy of this module. */
const REGISTRY = Symbol.for('ssemux-client');

/**
 * Is it the same user's again? In a page a callback is, after a hot reload;
 * elsewhere it need not be.
 * @param {Options} one @param {Options} other @param {any} page
 */
function sameUser(one, other, page) {
    const [a, b] = [one, other].map(({ token, headers }) =>
        JSON.stringify([token, headers])); // any callback is null there
    return a === b && (page || one.token === other.token);
}

/**
 * Where the connection's events come from. What is for several tabs is loaded
 * by those who want it.
 * @param {Settings} settings
 * @param {Sink} sink
 * @returns {Source}
 */
function sourceOf(settings, sink) {
    if (!settings.shared)
        return createStream(settings, sink);
    const source = import('./shared.js').then(
        ({ sharedSource }) => sharedSource, () => createStream).then(
        (create) => create(settings, sink));
    const pass = (/** @type {keyof Source} */ method) =>
        async (/** @type {any[]} */ ...args) => {
            const made = /** @type {any} */ (await source);
            made[method](...args);
        };
    return { want: pass('want'), renew: pass('renew'), close: pass('close') };
}

/** @type {typeof import('./index.js').connect} */
export function connect(url, options = {}) {
    const { name = '', env = globalThis } = options;
    const address = new URL(url, env.location?.href).href;
    const key = address + ' ' + name;
    /** @type {Map<Connection, {settings: Settings, given: Options}>} */
    const registry = env[REGISTRY] ??= new Map();
    for (const [there, { settings, given }] of registry) {
        if (settings.key === key && sameUser(given, options, env.document)) {
            Object.assign(settings, options); // today's callbacks
            return there;
        }
    }
    const settings = { ...DEFAULTS, ...options, url: address, key, env };
    const connection = createConnection(settings,
        (sink) => sourceOf(settings, sink), () => registry.delete(connection));
    registry.set(connection, { settings, given: options });
    return connection;
}
