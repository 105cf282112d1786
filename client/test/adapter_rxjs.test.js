/* adapter_rxjs: channels as Observables of the real RxJS. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { filter, from, lastValueFrom, map, take, toArray } from 'rxjs';
import { eventsOf, readiesOf, resyncsOf, statesOf }
    from '../src/adapters/rxjs.js';
import { settle } from './fake_page.js';
import { page } from './fixture.js';

test('from() takes a channel as it is', async () => {
    const { broker, connection } = page();
    const seen = lastValueFrom(from(/** @type {any} */ (
        connection.channel('a'))).pipe(
        map((/** @type {any} */ event) => event.data), take(2), toArray()));
    await settle();
    broker.publish('a', 1);
    broker.publish('a', 2);
    assert.deepEqual(await seen, [1, 2]);
});

test('events by type; the end of the subscription leaves the channel',
    async () => {
        const { broker, connection, clock } = page();
        /** @type {any[]} */
        const seen = [];
        const subscription = eventsOf(connection.channel('a'), 'x', 'y')
            .pipe(filter(({ data }) => data > 0))
            .subscribe(({ data }) => seen.push(data));
        await settle();
        broker.publish('a', 1, 'x');
        broker.publish('a', 2, 'y');
        broker.publish('a', 3, 'z');
        broker.publish('a', 0, 'x');
        await settle();
        assert.deepEqual(seen, [1, 2]);
        subscription.unsubscribe();
        await clock.advance(1000);
        assert.equal(broker.live.length, 0);
    });

test('resyncs, ready, states; errors and the end come through', async () => {
    const { broker, connection } = page();
    connection.on('error', () => {});
    const a = connection.channel('a');
    /** @type {any[]} */
    const said = [];
    statesOf(connection).subscribe({ next: (state) => said.push(state),
        complete: () => said.push('no more states') });
    resyncsOf(a).subscribe({ next: ({ reason }) => said.push(reason),
        error: (error) => said.push(error.code) });
    readiesOf(a).subscribe({ next: (name) => said.push('ready ' + name),
        error: () => {} });
    eventsOf(connection.channel('b')).subscribe({
        complete: () => said.push('no more b') });
    await settle();
    broker.stream.control('resync', { channels: ['a'], reason: 'history' });
    await settle();
    broker.stream.control('revoked', { channels: ['a'] });
    await settle();
    connection.close();
    assert.deepEqual(said, ['idle', 'connecting', 'open', 'ready a', 'history',
        'revoked', 'closed', 'no more states', 'no more b']);
});
