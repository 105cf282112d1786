/* adapter_react: the hooks in the real React, strict mode included. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createElement, StrictMode, useEffect } from 'react';
import { act, create } from 'react-test-renderer';
import { useChannel, useConnectionState, useLatest }
    from '../src/adapters/react.js';
import { settle } from './fake_page.js';
import { page } from './fixture.js';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true,
    IS_REACT_NATIVE_TEST_ENVIRONMENT: true });

/** Lets effects and promises run. @param {() => any} [body] */
const acting = (body) => act(async () => {
    await body?.();
    await settle();
});

/** @param {any} element */
async function mount(element) {
    /** @type {any} */
    let root;
    await acting(() => {
        root = create(element);
    });
    return root;
}

test('a component hears its channel while it is there', async () => {
    const { broker, connection, clock } = page();
    /** @type {any[]} */
    const heard = [];
    function Orders() {
        useChannel(connection, 'a', { event: ({ data }) => heard.push(data),
            ready: (name) => heard.push('ready ' + name),
            resync: ({ reason }) => heard.push(reason) });
        return null;
    }
    const root = await mount(createElement(Orders));
    broker.publish('a', 1);
    broker.stream.control('resync', { channels: ['a'], reason: 'history' });
    await acting();
    assert.deepEqual(heard, ['ready a', 1, 'history']);
    await acting(() => root.unmount());
    await clock.advance(1000);
    assert.equal(broker.live.length, 0);
});

test('strict mode\'s double mount asks once', async () => {
    const { broker, connection, clock } = page();
    let mounts = 0;
    function Orders() {
        mounts++;
        const latest = useLatest(connection, 'a');
        return createElement('p', null, latest?.data ?? 'none');
    }
    const root = await mount(createElement(StrictMode, null,
        createElement(Orders)));
    assert.ok(mounts >= 2);
    await clock.advance(5000);
    broker.publish('a', 'one');
    await acting();
    assert.equal(root.toJSON().children[0], 'one');
    assert.equal(broker.requests.length, 1);
    await acting(() => root.unmount());
});

test('the handlers of the last render are called', async () => {
    const { broker, connection } = page();
    /** @type {string[]} */
    const heard = [];
    function Orders(/** @type {any} */ { tag }) {
        useChannel(connection, 'a', { event: () => heard.push(tag) });
        return null;
    }
    const root = await mount(createElement(Orders, { tag: 'one' }));
    await acting(() => root.update(createElement(Orders, { tag: 'two' })));
    broker.publish('a');
    await acting();
    assert.deepEqual(heard, ['two']);
    assert.equal(broker.requests.length, 1);
});

test('another name is another channel, on the same connection', async () => {
    const { broker, connection, clock } = page();
    function Orders(/** @type {any} */ { name }) {
        const latest = useLatest(connection, name, 'x');
        useEffect(() => {
            shown.push(`${name}: ${latest?.data}`);
        });
        return createElement('p', null, latest?.data ?? 'none');
    }
    /** @type {string[]} */
    const shown = [];
    const root = await mount(createElement(Orders, { name: 'a' }));
    broker.publish('a', 'of a', 'x');
    broker.publish('a', 'another type', 'y');
    await acting();
    assert.equal(root.toJSON().children[0], 'of a');
    await acting(() => root.update(createElement(Orders, { name: 'b' })));
    assert.equal(root.toJSON().children[0], 'none');
    assert.ok(!shown.includes('b: of a'), String(shown));
    await clock.advance(1000);
    broker.publish('a', 'late', 'x');
    broker.publish('b', 'of b', 'x');
    await acting();
    assert.equal(root.toJSON().children[0], 'of b');
    assert.deepEqual([...broker.stream.channels], ['b']);
    assert.equal(broker.opened.length, 1);
    await acting(() => root.update(createElement(Orders, { name: null })));
    await clock.advance(1000);
    assert.equal(broker.live.length, 0);
});

test('two components share a channel', async () => {
    const { broker, connection, clock } = page();
    function One() {
        useChannel(connection, 'a', {});
        return null;
    }
    const first = await mount(createElement(One));
    const second = await mount(createElement(One));
    await acting(() => first.unmount());
    await clock.advance(5000);
    assert.deepEqual([...broker.stream.channels], ['a']);
    assert.equal(broker.requests.length, 1);
    await acting(() => second.unmount());
});

test('the state is rendered as it changes', async () => {
    const { broker, connection } = page();
    function Light() {
        return createElement('p', null, useConnectionState(connection));
    }
    const root = await mount(createElement(Light));
    assert.equal(root.toJSON().children[0], 'idle');
    await acting(() => connection.channel('a').on('event', () => {}));
    assert.equal(root.toJSON().children[0], 'open');
    broker.stream.cut();
    await acting();
    assert.equal(root.toJSON().children[0], 'waiting');
});

test('a refusal is told', async () => {
    const { broker, connection } = page();
    connection.on('error', () => {});
    broker.forbidden = ['a'];
    /** @type {any[]} */
    const errors = [];
    function Secret() {
        useChannel(connection, 'a', { error: ({ code }) => errors.push(code) });
        return null;
    }
    await mount(createElement(Secret));
    assert.deepEqual(errors, ['channels-refused']);
});
