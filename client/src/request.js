/*
 * request: what is asked of the broker, and what its refusals say.
 */
import { SsemuxError } from './error.js';
/** @import {Asked, Settings} from './internal.js' */

/** Refusals that pass: try again later. */
const TEMPORARY = [408, 425, 429];

/**
 * The stream's address.
 * @param {Settings} settings
 * @param {Asked} asked
 */
export function streamUrl({ url, fixed, parameters, since }, asked) {
    const address = new URL(url);
    const { searchParams } = address;
    if (!fixed)
        searchParams.set(parameters?.channels ?? 'channels',
            asked.channels.join(','));
    if (since && !asked.cursor)
        searchParams.set(parameters?.since ?? 'since', since);
    return address;
}

/**
 * @param {Settings} settings
 * @param {URL | string} url
 * @param {string | null | undefined} token
 * @param {Omit<RequestInit, 'headers'> &
 *     {headers: Record<string, string | undefined>}} init
 * @returns {Promise<Response>}
 */
export function request(settings, url, token, init) {
    const headers = { ...settings.headers,
        Authorization: token ? 'Bearer ' + token : undefined,
        ...init.headers };
    const { env, credentials, fetch = env.fetch.bind(env) } = settings;
    return fetch(url, { cache: 'no-store', credentials, ...init,
        headers: JSON.parse(JSON.stringify(headers)) }); // without undefined
}

/**
 * What a refusal says, as an error.
 * @param {Response} response
 * @param {Settings} settings
 */
export async function problemOf(response, { env }) {
    const { status } = response;
    const problem = await response.json().catch(() => null) ?? {};
    const wait = /** @type {any} */ (response.headers.get('Retry-After'));
    const code = problem.code ?? 'http-' + status;
    return new SsemuxError(problem.detail ?? code, { code, status,
        final: status < 500 && !TEMPORARY.includes(status),
        wait: Number(wait) * 1000 || Date.parse(wait) - env.Date.now() || 0,
    });
}
