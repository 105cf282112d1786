/* fixture: a page, and tests that run with each kind of broker. */
import test from 'node:test';
import { connect } from '../src/index.js';
import { FakeBroker } from './fake_broker.js';
import { FakePage } from './fake_page.js';

/** @param {any} [options] */
export function page(options = {}, broker = new FakeBroker()) {
    const env = new FakePage(broker);
    const open = (/** @type {any} */ more = {}) =>
        connect('/stream', { env, ...options, ...more });
    return { broker, env, clock: env.clock, open, connection: open() };
}

/** Data of the events that a handle hears. @param {any} handle */
export function heard(handle, type = 'event') {
    /** @type {any[]} */
    const data = [];
    handle.on(type, (/** @type {any} */ event) => data.push(event.data));
    return data;
}

/** @param {string} name @param {(broker: FakeBroker) => Promise<void>} body */
export function both(name, body) {
    const how = { 'by POST': true, 'by a new stream': false,
        'by a new stream after a renewal': /** @type {const} */ ('renews') };
    for (const [text, changes] of Object.entries(how)) {
        test(`${name} (${text})`, () =>
            body(Object.assign(new FakeBroker(), { changes })));
    }
}
