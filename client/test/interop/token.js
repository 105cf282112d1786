/* token: signs tokens that last so many seconds, in Node and in pages. */
const { crypto = (await import('node:crypto')).webcrypto } =
    /** @type {any} */ (globalThis);

const encoder = new TextEncoder();

/** @param {Uint8Array} bytes */
const base64 = (bytes) => btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
const part = (/** @type {any} */ value) =>
    base64(encoder.encode(JSON.stringify(value)));

/** @param {string} secret @param {number} seconds */
export async function sign(secret, seconds) {
    const now = Math.floor(Date.now() / 1000);
    const text = part({ alg: 'HS256', typ: 'JWT' }) + '.' + part({ sub: 'u1',
        iat: now, exp: now + seconds, ssemux: { subscribe: ['c'] } });
    const key = await crypto.subtle.importKey('raw', encoder.encode(secret),
        { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    return text + '.' + base64(new Uint8Array(
        await crypto.subtle.sign('HMAC', key, encoder.encode(text))));
}
