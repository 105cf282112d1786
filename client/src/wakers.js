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
    const { document } = env;
    const look = () => document?.visibilityState === 'hidden' || wake();
    for (const [target, name] of [[env, 'online'], [env, 'pageshow'],
        [document, 'visibilitychange']])
        target?.addEventListener?.(name, look, { signal });
}
