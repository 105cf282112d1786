/*
 * watchdog: notices that a stream has gone silent. One timer, set again only
 * when it fires.
 */

/** What fits into a timer. */
const FOREVER = 2 ** 31 - 1;

/**
 * Its functions: expect, heard, look, stop.
 * @param {any} env @param {() => void} silent
 * @returns {[(ms: number) => void, () => void, () => void, () => void]}
 */
export function createWatchdog(env, silent) {
    let heardAt = 0;
    let limit = FOREVER;
    /** @type {any} */
    let timer;

    /** There was a sign of life. */
    function heard() {
        heardAt = env.Date.now();
    }

    function stop() {
        env.clearTimeout(timer);
    }

    /** Looks at the clock, which may have gone on while timers stood still. */
    function look() {
        const left = heardAt + limit - env.Date.now();
        stop();
        if (left <= 0)
            silent();
        else
            timer = env.setTimeout(look, left);
    }

    /** From now on so many ms without a sign of life are too many; 0: any.
     * @param {number} ms */
    function expect(ms) {
        limit = ms || FOREVER;
        heard();
        look();
    }

    return [expect, heard, look, stop];
}
