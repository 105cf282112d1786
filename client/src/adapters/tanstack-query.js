/*
 * tanstack-query: a channel keeps a query cache fresh. An event patches what
 * the cache has of its thing, without a fetch, unless the cache has something
 * newer; lists that it belongs to are fetched anew, once for all events of a
 * moment.
 *
 * An answer that is on its way when an event comes may be of before the event.
 * So it is patched, too, when it is there, and a list is fetched once more.
 */

/** Patches for one answer on its way; with more, it is fetched anew. */
const MAX_PATCHES = 100;

/** @type {typeof import('./tanstack-query.js').keepFresh} */
export function keepFresh(client, channel, rules) {
    const { describe, all = [], tsOf = (data) => data?.ts } = rules;
    const cache = client.getQueryCache();
    /** Time of the newest event of each query. @type {WeakMap<object, number>} */
    const seen = new WeakMap();
    /** For answers on their way. @type {WeakMap<any, any[]>} */
    const patches = new WeakMap();
    /** To be fetched once more. @type {WeakSet<any>} */
    const late = new WeakSet();
    /** To be fetched. @type {Map<string, {queryKey: any, exact?: boolean}>} */
    const due = new Map();

    /** @param {readonly unknown[]} queryKey @param {boolean} [exact] */
    function refresh(queryKey, exact) {
        if (!due.size)
            setTimeout(flush);
        due.set(JSON.stringify([queryKey, exact]), { queryKey, exact });
    }

    function flush() {
        const filters = [...due.values()];
        due.clear();
        for (const filter of filters) {
            for (const query of cache.findAll(
                { ...filter, fetchStatus: 'fetching' }))
                late.add(query);
            client.invalidateQueries(filter, { cancelRefetch: false })
                .catch(() => {}); // the query itself has its error
        }
    }

    /** @param {any} query @param {any} patch @param {number} ts */
    function lay(query, patch, ts) {
        const held = query.state.data;
        if (held !== undefined && !(ts < (tsOf(held) ?? 0)))
            client.setQueryData(query.queryKey, typeof patch === 'function' ?
                patch(held) : { ...held, ...patch });
    }

    /** @param {any} query @param {any} patch @param {number} ts */
    function change(query, patch, ts) {
        seen.set(query, ts);
        lay(query, patch, ts);
        if (query.state.fetchStatus !== 'fetching')
            return;
        const kept = patches.get(query) ?? [];
        patches.set(query, kept);
        if (kept.push({ patch, ts }) > MAX_PATCHES) {
            kept.length = 0;
            late.add(query);
        }
    }

    /** @param {any} event */
    function apply(event) {
        const { detail, patch, lists = [], ts = event.ts } =
            describe(event) ?? {};
        const query = detail && cache.find({ queryKey: detail, exact: true });
        if (query && patch) {
            const { data } = query.state;
            if (ts < (seen.get(query) ?? 0) ||
                (data !== undefined && ts < (tsOf(data) ?? 0)))
                return; // the cache knows better
            change(query, patch, ts);
        }
        lists.forEach((key) => refresh(key));
    }

    /** Is an answer there, or will none come?
     * @param {{query: any, action?: any}} event */
    function landed({ query, action }) {
        if (!action || query.state.fetchStatus === 'fetching')
            return;
        const kept = patches.get(query) ?? [];
        patches.delete(query);
        if (action.type === 'success' && !action.manual)
            kept.forEach(({ patch, ts }) => lay(query, patch, ts));
        if (late.delete(query))
            refresh(query.queryKey, true);
    }

    const everything = () => all.forEach((key) => refresh(key));
    const ends = [
        channel.on('event', apply),
        channel.on('resync', everything),
        channel.on('ready', everything),
        cache.subscribe(landed),
    ];
    return () => {
        ends.forEach((end) => end());
        due.clear();
    };
}
