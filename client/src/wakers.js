/*
 * wakers: moments at which a page had better look whether its stream lives:
 * the network is back, the page is seen again, or comes out of the cache.
 */

/**
 * Calls wake() at each, until the signal.
 * @param {any} env
 * @param {AbortSignal} signal
 * @param {() => void} wake
 */
export function listenForWaking(env, signal, wake) {
    const look = () => env.document?.visibilityState === 'hidden' || wake();
    // The last one is the document's; it bubbles.
    for (const name of ['online', 'pageshow', 'visibilitychange'])
        env.addEventListener?.(name, look, { signal });
}
