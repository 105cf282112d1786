/*
 * cursor: places in the broker's log, as texts MS-SEQ. Pure.
 */

/**
 * Is a later in the log than b? Any is later than none, and what is no cursor
 * is later than anything: nothing is known of it.
 * @param {string} a
 * @param {string | undefined} b
 */
export function isAfter(a, b = 'none') {
    const [aMs, aSeq] = a.split('-').map(Number);
    const [bMs, bSeq] = b.split('-').map(Number);
    return !((aMs - bMs || aSeq - bSeq) <= 0);
}
