/*
 * page: the orders, one of them, and on demand the stock. Each panel has a
 * query; the stream patches what changed and says which lists are stale.
 */
import { QueryClient, QueryClientProvider, useIsFetching, useQuery,
    useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { connect } from 'ssemux-client';
import { keepFresh } from 'ssemux-client/tanstack-query';
import { mount } from '../shared/page/mount.jsx';
import { Status } from '../shared/page/status.jsx';

const connection = connect('/api/v1/stream/events', {
    fixed: true, // the stream has its channels; nobody asks for any
    decode({ data }) {
        const { type, id, patch, ts } = JSON.parse(data);
        const channel = type.startsWith('order.') ? 'orders' : 'stock';
        return { channel, type, key: id, data: patch, ts };
    },
});

const ORDERS = {
    describe: ({ type, key, data }) => ({
        detail: ['order', key],
        patch: type === 'order.updated' ? data : undefined,
        ts: data.ts, // the shop's clock, as in what it answers
        lists: [['orders']],
    }),
    all: [['orders'], ['order']],
};
const STOCK = {
    describe: ({ key, data: { left, ts } }) => ({
        detail: ['stock'], patch: { [key]: left, ts }, ts }),
    all: [['stock']],
};

/** The stream says what is stale: nothing is fetched for other reasons. */
const QUERIES = { staleTime: Infinity, refetchOnReconnect: false,
    refetchOnWindowFocus: false };

function useFresh(channel, rules) {
    const client = useQueryClient();
    useEffect(() => keepFresh(client, connection.channel(channel), rules),
        [client]);
}

async function load(path) {
    const answer = await fetch(path);
    if (!answer.ok)
        throw new Error(await answer.text());
    return answer.json();
}

const send = (method, path, change) => fetch(path, { method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(change) });

function Orders({ choose }) {
    const { data = [] } = useQuery({ queryKey: ['orders'],
        queryFn: () => load('/api/orders') });
    const [item, setItem] = useState('Lamp');
    return (
        <section aria-label="Orders">
            <h2>All orders</h2>
            <table>
                <thead><tr><th>Order</th><th>Item</th><th>Status</th></tr></thead>
                <tbody>{data.map(({ id, item, status }) => (
                    <tr key={id}>
                        <td><button type="button" className="link"
                            onClick={() => choose(id)}>{id}</button></td>
                        <td>{item}</td><td>{status}</td>
                    </tr>))}
                </tbody>
            </table>
            <form onSubmit={(event) => {
                event.preventDefault();
                send('POST', '/api/orders', { item });
            }}>
                <select aria-label="Item" value={item}
                    onChange={({ target }) => setItem(target.value)}>
                    {['Lamp', 'Chair', 'Table'].map((name) =>
                        <option key={name}>{name}</option>)}
                </select>
                <button>Order it</button>
            </form>
            <p className="note">
                Fetched anew when the stream says that it is stale.
            </p>
        </section>
    );
}

function Detail({ id }) {
    const { data } = useQuery({ queryKey: ['order', id],
        queryFn: () => load('/api/orders/' + id) });
    if (!data)
        return null;
    const change = (patch) => send('PATCH', '/api/orders/' + id, patch);
    return (
        <section aria-label="One order">
            <h2>{id}: {data.item}</h2>
            <div className="row">
                <label>Status <select value={data.status} onChange={
                    ({ target }) => change({ status: target.value })}>
                    {['new', 'packed', 'shipped', 'delivered'].map((status) =>
                        <option key={status}>{status}</option>)}
                </select></label>
            </div>
            <form onSubmit={(event) => {
                event.preventDefault();
                change({ note: new FormData(event.target).get('note') });
                event.target.reset();
            }}>
                <input name="note" aria-label="Note" placeholder="A note" />
                <button>Write it</button>
            </form>
            <p>Note: <output>{data.note || 'none'}</output></p>
            <p className="note">
                Patched by the stream; fetched anew only when events were lost.
            </p>
        </section>
    );
}

function Stock() {
    useFresh('stock', STOCK);
    const { data = {} } = useQuery({ queryKey: ['stock'],
        queryFn: () => load('/api/stock') });
    return (
        <section aria-label="Stock">
            <h2>Stock</h2>
            <dl>{['Lamp', 'Chair', 'Table'].map((item) => [
                <dt key={item}>{item}</dt>,
                <dd key={item + ' left'}>{data[item]}</dd>])}
            </dl>
        </section>
    );
}

function Page() {
    useFresh('orders', ORDERS);
    const [id, choose] = useState('ord_1');
    const [stock, showStock] = useState(false);
    const busy = useIsFetching() > 0;
    return (
        <>
            <Status connection={connection}>
                <button type="button" aria-pressed={stock}
                    onClick={() => showStock(!stock)}>Stock</button>
            </Status>
            <div className="panels" aria-busy={busy}>
                <Orders choose={choose} />
                <Detail key={id} id={id} />
                {stock && <Stock />}
            </div>
        </>
    );
}

mount(function App() {
    const [client] = useState(() => new QueryClient(
        { defaultOptions: { queries: QUERIES } }));
    return (
        <QueryClientProvider client={client}><Page /></QueryClientProvider>
    );
});
