/*
 * patience: how long to wait before the next try. Exponential with full
 * jitter, so that clients who lost the same broker do not come back at the same
 * moment; never less than the stream's `retry:` or an answer's `Retry-After`.
 */
/** @import {Settings} from './internal.js' */

/** Longer than that no timer works, nor is it meant. */
const LIMIT_MS = 3600_000;

/**
 * Its functions: waitFor, reset, setRetry, isDue.
 * @param {Settings} settings
 * @returns {[(asked: number, bye: boolean) => number, () => void,
 *     (ms: number) => void, () => boolean]}
 */
export function createPatience({ env, first, longest }) {
    let tries = 0;
    let retry = 0;
    let notBefore = 0;

    /**
     * ms until the next try.
     * @param {number} asked by the last answer
     * @param {boolean} bye the broker said goodbye: it has spread its clients
     *     over `retry:` itself
     */
    function waitFor(asked, bye) {
        const floor = Math.min(Math.max(asked, retry), LIMIT_MS);
        const jitter = env.Math.random() *
            Math.min(longest, first * 2 ** tries);
        const exact = bye && !tries && floor;
        tries++;
        notBefore = env.Date.now() + floor;
        return exact || Math.max(floor, jitter);
    }

    /** It worked: the next failure is a first one again. */
    function reset() {
        tries = 0;
    }

    /** The stream's `retry:`. @param {number} ms */
    function setRetry(ms) {
        retry = ms;
    }

    /** Does the broker want to see us yet? */
    function isDue() {
        return env.Date.now() >= notBefore;
    }

    return [waitFor, reset, setRetry, isDue];
}
