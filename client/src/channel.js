/*
 * channel: a handle of a channel on a connection, and what may be made of it.
 * See index.d.ts.
 */
import { SsemuxError } from './error.js';
import { createIterator } from './iterator.js';
import { createUses, endAll } from './uses.js';
/** @import {Channel} from './index.js' */
/** @import {Use} from './internal.js' */

/** What is heard of by names that are no types of events. */
const NOTICES = ['event', 'resync', 'ready', 'error'];

/**
 * @param {string} name
 * @param {(use: Use) => () => void} began
 * @param {number} buffer
 * @returns {Channel}
 */
export function createChannel(name, began, buffer) {
    const { uses, begin, on, off } = createUses(began);
    /** @type {any} */
    const self = {
        name, off,
        on: (/** @type {string} */ type, /** @type {any} */ listener) =>
            on(type, listener, NOTICES.includes(type) ? type : 'event'),
        ready: () => new Promise((resolve, reject) => {
            const stop = begin({
                ready() {
                    stop(); // it lingers for who uses it now
                    resolve(undefined);
                },
                error: (error) => reject(error ?? new SsemuxError('closed')),
            });
        }),
        subscribe(/** @type {any} */ next, /** @type {any} */ error,
            /** @type {any} */ complete) {
            const to = typeof next === 'function' ? { next, error, complete } :
                next;
            const use = {
                event: (/** @type {any} */ event) => to.next?.(event),
                error: (/** @type {any} */ fault) =>
                    fault ? to.error?.(fault) : to.complete?.(),
            };
            return { unsubscribe: begin(use), get closed() {
                return !uses.has(use);
            } };
        },
        [Symbol.asyncIterator]: () => createIterator(name, begin, buffer),
        close: () => endAll(uses),
        '@@observable': () => self,
    };
    // RxJS and others look for one or the other.
    self[/** @type {any} */ (Symbol).observable ?? ''] = () => self;
    return self;
}
