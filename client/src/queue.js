/*
 * queue: events that an iterator has not read yet, and reads that no event has
 * come for. Bounded.
 */
const done = () => ({ value: undefined, done: true });

/** @param {number} max */
export function createQueue(max) {
    /** @type {any[]} */
    let events = [];
    /** @type {((result: any) => void)[]} */
    const readers = [];
    /** What is answered when all is read. @type {(() => any) | undefined} */
    let end;

    function serve() {
        while (readers.length && (events.length || end)) {
            const resolve = readers.shift();
            if (events.length) {
                resolve?.({ value: events.shift(), done: false });
            } else {
                resolve?.(end?.());
                end = done;
            }
        }
    }

    return {
        /** False: it is full. @param {any} event */
        push(event) {
            const room = events.length < max;
            if (room)
                events.push(event);
            serve();
            return room;
        },
        /** After what was pushed comes the error, once, and the end.
         * @param {unknown} [error] */
        end(error) {
            end ??= error ? () => Promise.reject(error) : done;
            serve();
        },
        /** The end, now. */
        clear() {
            events = [];
            end = done;
            serve();
        },
        /** @returns {Promise<IteratorResult<any>>} */
        shift: () => new Promise((resolve) => {
            readers.push(resolve);
            serve();
        }),
    };
}
