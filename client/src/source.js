/*
 * source: where a connection's events come from. What is for several tabs is
 * loaded by those who want it.
 */
import { createStream } from './stream.js';
/** @import {Settings, Sink, Source} from './internal.js' */

/**
 * @param {Settings} settings
 * @param {Sink} sink
 * @returns {Promise<Source>}
 */
export async function openSource(settings, sink) {
    const open = settings.shared && await import('./shared.js').then(
        ({ openShared }) => openShared, () => createStream);
    return (open || createStream)(settings, sink);
}
