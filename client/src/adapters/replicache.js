/*
 * replicache: pulls when poked, and when pokes may have been lost.
 */

/** @type {typeof import('./replicache.js').pullOnPoke} */
export function pullOnPoke(replicache, channel, type) {
    const pull = () => {
        Promise.resolve(replicache.pull()).catch(() => {}); // it tries again
    };
    const ends = [
        channel.on(type ?? 'event', pull),
        channel.on('resync', pull),
        channel.on('ready', pull),
    ];
    return () => ends.forEach((end) => end());
}
