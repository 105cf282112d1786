/*
 * backend: a shop. Each change is made here first, then published: what has
 * changed, not the whole order.
 */
import { Refusal } from '../shared/front.js';

const STATUSES = ['new', 'packed', 'shipped', 'delivered'];

export function backend({ publish }) {
    const orders = new Map();
    const stock = { Lamp: 20, Chair: 20, Table: 20 };
    let time = 0;

    /** No two changes have the same. */
    function now() {
        time = Math.max(Date.now(), time + 1);
        return time;
    }

    function order(id) {
        if (!orders.has(id))
            throw new Refusal(404, 'There is no such order.');
        return orders.get(id);
    }

    function create(item) {
        if (!(item in stock))
            throw new Refusal(400, 'There is no such item.');
        const id = 'ord_' + (orders.size + 1);
        const made = { id, item, status: 'new', note: '', ts: now() };
        orders.set(id, made);
        stock[item]--;
        return [
            publish('orders', { type: 'order.created', key: id, data: made }),
            publish('stock', { type: 'stock.changed', key: item,
                data: { left: stock[item], ts: made.ts } })];
    }

    ['Lamp', 'Chair'].map(create);
    return {
        'GET /api/orders': () => [...orders.values()].map(
            ({ id, item, status }) => ({ id, item, status })),
        'GET /api/orders/:id': ({ id }) => order(id),
        'GET /api/stock': () => stock,
        'POST /api/orders': ({ body }) => Promise.all(create(body.item)),
        'PATCH /api/orders/:id': ({ id, body }) => {
            const { status, note } = body;
            if (status !== undefined && !STATUSES.includes(status))
                throw new Refusal(400, 'There is no such status.');
            const patch = JSON.parse(JSON.stringify(
                { status, note, ts: now() })); // less what is undefined
            Object.assign(order(id), patch);
            return publish('orders',
                { type: 'order.updated', key: id, data: patch });
        },
    };
}
