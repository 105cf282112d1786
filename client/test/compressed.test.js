/*
 * compressed: the client over streams that are compressed, by the codings that
 * this Node undoes. Chromium has both, see tests/browser/client_test.py.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as zlib from 'node:zlib';
import { connect } from '../src/index.js';
import { Broker, waitFor } from './broker.js';

/** Which one a stream has, of the broker's codings, when Node's fetch() asks
 * for what it asks for, or for this.
 * @type {{ made: string, asks?: string, coding: string | null }[]} */
const CASES = [
    { made: 'gzip', coding: 'gzip' },
    { made: 'gzip, zstd', coding: 'gzip' },
    { made: 'gzip, zstd', asks: 'identity', coding: null },
];
if ('createZstdDecompress' in zlib)
    CASES.push({ made: 'gzip, zstd', asks: 'zstd', coding: 'zstd' });

const order = (/** @type {number} */ n) => ({ channel: n % 2 ? 'a' : 'b',
    type: 'order.updated', key: 'ord_' + n, data: { n, status: 'shipped',
        items: [{ sku: 'SKU-' + n * 7 % 1000, quantity: n % 9 }] } });

for (const { made, asks, coding } of CASES) {
    test(`${coding} of ${made}, through kills`, async (t) => {
        const broker = await Broker.start(t, { 'http.compression': made });
        /** @type {any[]} */
        const [codings, got, resyncs] = [[], [], []];
        const connection = connect(broker.url, { first: 50, longest: 500,
            fetch: async (/** @type {any} */ url, /** @type {any} */ init) => {
                const headers = new Headers(init?.headers);
                if (asks)
                    headers.set('accept-encoding', asks);
                const answer = await fetch(url, { ...init, headers });
                if (answer.headers.get('content-type')?.includes('event'))
                    codings.push(answer.headers.get('content-encoding'));
                return answer;
            } });
        t.after(() => connection.close());
        connection.on('resync', (resync) => resyncs.push(resync));
        const handles = ['a', 'b'].map((name) => connection.channel(name));
        for (const handle of handles)
            handle.on('event', ({ data }) => got.push(data.n));
        await Promise.all(handles.map((handle) => handle.ready()));
        // Each comes out before the next is there.
        for (let n = 0; n < 10; n++) {
            await broker.publish(order(n));
            await waitFor(() => got.length === n + 1);
        }
        let count = 10;
        for (let turn = 0; turn < 3; turn++) {
            const publishing = broker.publish(...Array.from({ length: 300 },
                (_, n) => order(count + n)));
            await broker.killWorkers();
            await publishing;
            count += 300;
        }
        await waitFor(() => got.length >= count);
        assert.deepEqual(got, Array.from({ length: count }, (_, n) => n));
        assert.deepEqual(resyncs, []);
        assert.ok(codings.length > 1);
        assert.deepEqual(new Set(codings), new Set([coding]));
    });
}
