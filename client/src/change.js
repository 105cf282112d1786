/*
 * change: POST to a live stream, which changes its channels or its token.
 */
import { problemOf, request } from './request.js';
/** @import {Settings} from './internal.js' */

/**
 * The JSON of the answer, null without; throws what is refused.
 * @param {Settings} settings
 * @param {string} id of the stream
 * @param {string | null | undefined} token
 * @param {object | undefined} change if any: {subscribe, unsubscribe}
 * @param {AbortSignal} signal
 */
export async function changeStream(settings, id, token, change, signal) {
    const url = settings.url.split(/[?#]/)[0] + '/' + id;
    const response = await request(settings, url, token, {
        method: 'POST', signal,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(change) });
    if (!response.ok)
        throw await problemOf(response, settings);
    return response.json().catch(() => null);
}
