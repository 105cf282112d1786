/*
 * ssemux-client: connect(), and the one connection there is per URL. The
 * contract is index.d.ts.
 */
import { createConnection } from './connection.js';
import { SsemuxError } from './error.js';
/** @import {Connection} from './index.js' */
/** @import {Settings} from './internal.js' */

export { SsemuxError };

const DEFAULTS = { first: 1000, longest: 30000, timeout: 30000, linger: 1000,
    buffer: 10000 };

/** Where connections are found again, also by another copy of this module. */
const REGISTRY = Symbol.for('ssemux-client');

/** @type {typeof import('./index.js').connect} */
export function connect(url, options = {}) {
    const { name = '', env = globalThis, token, headers } = options;
    const address = new URL(url, env.location?.href).href;
    const key = address + ' ' + name;
    // Whose it is. Any callback is null there: in a page it is the same user's
    // again, after a hot reload; elsewhere it need not be.
    const owner = JSON.stringify([key, token, headers]);
    /** @type {Map<Connection, {settings: Settings, owner: string, token: any}>}
     */
    const registry = env[REGISTRY] ??= new Map();
    for (const [there, known] of registry) {
        if (known.owner === owner && (env.document || known.token === token)) {
            Object.assign(known.settings, options); // today's callbacks
            return there;
        }
    }
    const settings = { ...DEFAULTS, ...options, url: address, key, env };
    const connection = createConnection(settings,
        () => registry.delete(connection));
    registry.set(connection, { settings, owner, token });
    return connection;
}
