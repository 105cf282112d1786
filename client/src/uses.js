/*
 * uses: what is made of a handle or a connection: listeners, observers,
 * iterators. A use has a method for each thing it wants to hear of.
 */
import { call } from './error.js';
/** @import {SsemuxError} from './index.js' */
/** @import {Use} from './internal.js' */

/** @param {(use: Use) => () => void} began returns what follows its end */
export function createUses(began) {
    /** @type {Set<Use>} */
    const uses = new Set();

    /** Returns what ends it, unless it has ended. @param {Use} use */
    function begin(use) {
        uses.add(use);
        const ended = began(use);
        return use.stop = () => uses.delete(use) && (ended(), true);
    }

    return {
        uses, begin,
        /** Listens for what is told by that name; where the type is none,
         * for the values of that type among what is told by another.
         * @param {string} type @param {(value: any) => void} listener */
        on(type, listener, name = type) {
            return begin({ type, listener, [name]: (/** @type {any} */ value) =>
                (name === type ? value : value.type === type) &&
                    listener(value) });
        },
        /** @param {string} type @param {(value: any) => void} listener */
        off(type, listener) {
            for (const use of uses) {
                if (use.type === type && use.listener === listener)
                    use.stop?.();
            }
        },
    };
}

/**
 * Tells those of this moment, less those that go meanwhile.
 * @param {Set<Use>} uses
 * @param {string} what
 * @param {any} value
 */
export function tell(uses, what, value) {
    for (const use of [...uses])
        uses.has(use) && call(() => use[what]?.(value));
}

/** Ends them; each hears why.
 * @param {Iterable<Use>} uses @param {SsemuxError} [error] */
export function endAll(uses, error) {
    for (const use of [...uses])
        use.stop?.() && call(() => use.error?.(error));
}
