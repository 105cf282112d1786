/*
 * iterator: a use of a channel that waits to be asked for events. Those that
 * have not been read yet are in a stream of the platform's; it is bounded.
 */
import { SsemuxError } from './error.js';
/** @import {Use} from './internal.js' */

/**
 * @param {string} name of the channel
 * @param {(use: Use) => () => void} begin
 * @param {number} max events that are held
 * @returns {AsyncIterableIterator<any>}
 */
export function createIterator(name, begin, max) {
    /** @type {() => void} */
    let stop;
    const reader = new ReadableStream({
        start(events) {
            /** The end, behind what was held. @param {SsemuxError} [error] */
            function end(error) {
                if (error)
                    events.enqueue(error);
                events.close();
            }
            stop = begin({
                event(event) {
                    if (/** @type {number} */ (events.desiredSize) > 0) {
                        events.enqueue(event);
                        return;
                    }
                    stop();
                    end(new SsemuxError('buffer-full', { channels: [name] }));
                },
                error: end,
            });
        },
        cancel: () => stop(),
    }, { highWaterMark: max }).getReader();
    return {
        async next() {
            const result = await reader.read();
            if (result.value instanceof SsemuxError)
                throw result.value;
            return result;
        },
        async return() {
            await reader.cancel();
            return reader.read();
        },
        [Symbol.asyncIterator]() {
            return this;
        },
    };
}
