/*
 * patterns: which names stand for which channels. A pattern is a channel, or a
 * prefix that ends in ":*", or "*". Pure.
 */

/**
 * Does the pattern stand for all that the other one stands for?
 * @param {string} pattern
 * @param {string} other
 */
export function covers(pattern, other) {
    return pattern === other || pattern === '*' ||
        (pattern.endsWith(':*') && other.startsWith(pattern.slice(0, -1)));
}

/**
 * Every pattern that the channel falls under, itself first.
 * @param {string} channel
 * @returns {string[]}
 */
export function patternsOf(channel) {
    return [channel, '*', ...[...channel.matchAll(/:/g)].map(
        ({ index = 0 }) => channel.slice(0, index + 1) + '*')];
}
