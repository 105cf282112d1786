/* types: what a user's compiler must take, and what it must refuse. */
import { from } from 'rxjs';
import { connect, SsemuxError, type Connection } from '../src/index.js';
import { latestOf } from '../src/latest.js';

interface Order { status: string }

export async function use(): Promise<string[]> {
    const connection: Connection = connect('/stream', {
        token: async ({ reason }) => (reason === 'connect' ? 'a' : null),
        shared: () => new SharedWorker('worker.js'),
        decode: ({ data }) => ({ channel: 'a', data: Number(data) }),
    });
    const orders = connection.channel<Order>('org:42:orders');
    const stop: () => void = orders.on('order.updated',
        ({ data }) => data.status.toUpperCase());
    orders.on('resync', ({ channels, reason }) => channels.concat(reason));
    orders.on('error', (error) => error.status + 1);
    connection.on('error', (error: SsemuxError) => error.final);
    connection.on('malformed', ({ message }) => message.data);
    connection.on('state', (state) => state === 'open');
    const { unsubscribe } = orders.subscribe({
        next: ({ data, cursor }) => data.status + cursor });
    await orders.ready();
    from(orders).subscribe(({ data }) => data.status.trim());
    latestOf<Order>(connection, 'orders').get('x')?.data.status.trim();
    stop();
    unsubscribe();
    // @ts-expect-error: there is no such state
    connection.on('state', (state) => state === 'opened');
    // @ts-expect-error: there is no such event
    connection.on('opened', () => {});
    // @ts-expect-error: an order has no number
    orders.on('order.updated', ({ data }) => data.number);
    // @ts-expect-error: it is read only
    connection.state = 'open';
    // @ts-expect-error: not a way to share
    connect('/', { shared: 'iframe' });
    const seen = [];
    for await (const { data } of orders)
        seen.push(data.status);
    return seen;
}
