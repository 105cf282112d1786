/*
 * tokens: JSON Web Tokens with HS256, as a backend issues them to its users and
 * the broker verifies them. In production your identity provider does this.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const encode = (value) => Buffer.from(JSON.stringify(value))
    .toString('base64url');
const sign = (text, secret) => createHmac('sha256', secret).update(text)
    .digest();

/**
 * A token that says these claims, for some seconds.
 * @param {string} secret @param {object} claims @param {number} seconds
 */
export function issueToken(secret, claims, seconds = 300) {
    const now = Math.floor(Date.now() / 1000);
    const text = encode({ alg: 'HS256', typ: 'JWT' }) + '.' +
        encode({ ...claims, iat: now, exp: now + seconds });
    return text + '.' + sign(text, secret).toString('base64url');
}

/** The claims of a good token of a request, else undefined.
 * @param {string} secret @param {string | undefined} authorization header */
export function claimsOf(secret, authorization = '') {
    const [, text, signature] =
        /^Bearer ([\w-]+\.[\w-]+)\.([\w-]+)$/.exec(authorization) ?? [];
    const given = Buffer.from(signature ?? '', 'base64url');
    if (given.length !== 32 || !timingSafeEqual(given, sign(text, secret)))
        return undefined;
    const claims = JSON.parse(Buffer.from(text.split('.')[1], 'base64url'));
    return claims.exp > Date.now() / 1000 ? claims : undefined;
}

/** The route of a backend that lets everybody be who they say: an example.
 * @param {string} secret @param {number} seconds
 * @param {(user: string) => object} claims what is true of a user */
export function login(secret, seconds, claims) {
    return ({ body: { user } }) => ({ token: issueToken(secret,
        { ...claims(user), sub: user }, seconds) });
}
