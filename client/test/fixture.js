/* fixture: pages and tabs, and tests that run with each kind of broker. */
import test from 'node:test';
import { connect } from '../src/index.js';
import { FakeBroker } from './fake_broker.js';
import { FakeOrigin } from './fake_origin.js';
import { FakePage, settle } from './fake_page.js';

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

/** A page that listens to channel "a", and all that it was told.
 * @param {any} [options] */
export async function listening(options = {}, broker = new FakeBroker()) {
    const page = new FakePage(broker);
    const connection = connect('/stream', { env: page, ...options });
    /** @type {any[][]} */
    const [events, errors, states, resyncs] = [[], [], [], []];
    connection.on('error', (error) => errors.push(error));
    connection.on('state', (state) => states.push(state));
    connection.on('resync', (resync) => resyncs.push(resync));
    connection.channel('a').on('event', ({ data }) => events.push(data));
    await settle();
    return { broker, page, connection, events, errors, states, resyncs,
        clock: page.clock };
}

/** @param {any} [options] */
export function origin(options = {}, broker = new FakeBroker()) {
    const fake = new FakeOrigin(broker);
    const { clock } = fake;
    /** A tab that uses these channels, and what it heard. */
    const tab = (/** @type {string[]} */ ...names) => {
        const page = fake.page();
        const connection = connect('/stream',
            { env: page, shared: true, ...options });
        /** @type {any[][]} */
        const [events, resyncs, errors] = [[], [], []];
        connection.on('error', (error) => errors.push(error));
        const handles = names.map((name) => connection.channel(name));
        for (const handle of handles) {
            handle.on('event', ({ data }) => events.push(data));
            handle.on('resync', (resync) => resyncs.push(resync));
        }
        return { page, connection, events, resyncs, errors, handles };
    };
    return { fake, broker, clock, tab };
}
