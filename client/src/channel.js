/*
 * channel: a handle of a channel on a connection. It holds the uses that were
 * made of it: listeners, observers, iterators. See index.d.ts.
 */
import { call, SsemuxError } from './error.js';
import { createQueue } from './queue.js';
/** @import {Channel} from './index.js' */
/** @import {Use} from './internal.js' */

/** What is heard of a use by names that are no types of events.
 * @type {any} */
const KINDS = { __proto__: null, event: 'event', resync: 'resync', ready: 'ready',
    error: 'end' };

/**
 * @param {string} name
 * @param {(name: string, use: Use) => void} began
 * @param {(name: string, use: Use) => void} ended
 * @param {number} buffer
 * @returns {Channel}
 */
export function createChannel(name, began, ended, buffer) {
    /** @type {Set<Use>} */
    const uses = new Set();

    /** @param {Use} use */
    function end(use) {
        if (uses.delete(use))
            ended(name, use);
    }

    /** Returns what ends it. @param {Use} use */
    function begin(use) {
        const { end: say } = use;
        use.end = (error) => {
            uses.delete(use);
            say?.(error);
        };
        uses.add(use);
        began(name, use);
        return () => end(use);
    }

    /** @type {any} */
    const self = {
        name,
        on(/** @type {string} */ type, /** @type {any} */ listener) {
            return begin({ type, listener, [KINDS[type] ?? 'event']:
                (/** @type {any} */ value) =>
                    (KINDS[type] ? value : value.type === type) &&
                        call(listener, value) });
        },
        off(/** @type {string} */ type, /** @type {any} */ listener) {
            for (const use of uses) {
                if (use.type === type && use.listener === listener)
                    end(use);
            }
        },
        ready: () => new Promise((resolve, reject) => {
            const stop = begin({
                ready() {
                    stop(); // it lingers for who uses it now
                    resolve(undefined);
                },
                end: (error) => reject(error ?? new SsemuxError('closed')),
            });
        }),
        subscribe(/** @type {any} */ next, /** @type {any} */ error,
            /** @type {any} */ complete) {
            const to = typeof next === 'function' ? { next, error, complete } :
                next;
            const use = {
                event: (/** @type {any} */ event) =>
                    call(to.next, event, to),
                end: (/** @type {any} */ fault) =>
                    call(fault ? to.error : to.complete, fault, to),
            };
            return { unsubscribe: begin(use), get closed() {
                return !uses.has(use);
            } };
        },
        [Symbol.asyncIterator]() {
            const queue = createQueue(buffer);
            const stop = begin({
                event(event) {
                    if (queue.push(event))
                        return;
                    stop();
                    queue.end(new SsemuxError('buffer-full',
                        { channels: [name] }));
                },
                end: queue.end,
            });
            return {
                next: queue.shift,
                return() {
                    stop();
                    queue.clear();
                    return queue.shift();
                },
                [Symbol.asyncIterator]() {
                    return this;
                },
            };
        },
        close() {
            for (const use of [...uses]) {
                end(use);
                use.end?.();
            }
        },
        '@@observable': () => self,
    };
    // RxJS and others look for one or the other.
    self[/** @type {any} */ (Symbol).observable ?? ''] = () => self;
    return self;
}
