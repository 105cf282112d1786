/*
 * fake_origin: pages of one origin, with its locks and its BroadcastChannel. A
 * page may end at any moment, as one whose process is killed.
 */
import { Clock, FakePage } from './fake_page.js';

export class FakeOrigin {
    clock = new Clock();
    /** @type {Set<any>} */
    wires = new Set();
    /** @type {Map<string, any[]>} holder first, then who waits */
    locks = new Map();
    /** Messages for a page wait here while it hangs.
     * @type {Map<FakePage, (() => void)[]>} */
    hanging = new Map();

    /** @param {any} broker */
    constructor(broker) {
        this.broker = broker;
    }

    page() {
        /** @type {any} */
        const page = new FakePage({
            fetch: (/** @type {any} */ url, /** @type {any} */ init) => {
                if (page.dead)
                    throw new Error('dead');
                const over = new AbortController();
                page.requests.add(over);
                init.signal?.addEventListener('abort', () => over.abort());
                return this.broker.fetch(url, { ...init, signal: over.signal });
            },
        }, this.clock);
        page.requests = new Set();
        page.navigator.locks = {
            request: (/** @type {string} */ name, /** @type {any} */ { signal },
                /** @type {any} */ callback) =>
                this.lock(page, name, signal, callback),
        };
        page.BroadcastChannel = this.channelOf(page);
        return page;
    }

    /** @param {any} page @param {string} name @param {AbortSignal} signal
     * @param {() => Promise<any>} callback */
    lock(page, name, signal, callback) {
        return new Promise((resolve, reject) => {
            const queue = this.locks.get(name) ?? [];
            this.locks.set(name, queue);
            const entry = { page, held: false, async grant() {
                entry.held = true;
                await null;
                if (!page.dead)
                    resolve(await callback());
                entry.leave();
            }, leave: () => {
                const at = queue.indexOf(entry);
                if (at < 0)
                    return;
                queue.splice(at, 1);
                if (at === 0)
                    queue[0]?.grant();
            } };
            queue.push(entry);
            signal?.addEventListener('abort', () => {
                if (!entry.held) {
                    entry.leave();
                    reject(new Error('aborted'));
                }
            });
            if (queue[0] === entry)
                entry.grant();
        });
    }

    /** @param {any} page */
    channelOf(page) {
        const origin = this;
        return class {
            /** @type {((event: any) => void) | undefined} */
            onmessage;
            page = page;

            /** @param {string} name */
            constructor(name) {
                this.name = name;
                origin.wires.add(this);
            }

            /** @param {any} data */
            postMessage(data) {
                if (!page.dead)
                    origin.send(this, structuredClone(data));
            }

            close() {
                origin.wires.delete(this);
            }
        };
    }

    /** @param {any} from @param {any} data */
    send(from, data) {
        for (const wire of this.wires) {
            if (wire === from || wire.name !== from.name)
                continue;
            const deliver = () => setImmediate(() =>
                this.wires.has(wire) && wire.onmessage?.({ data }));
            const held = this.hanging.get(wire.page);
            if (held)
                held.push(deliver);
            else
                deliver();
        }
    }

    /** The page hears nothing for a while. @param {FakePage} page */
    hang(page) {
        this.hanging.set(page, []);
    }

    /** @param {FakePage} page @param {'lost'} [messages] */
    wakeUp(page, messages) {
        const held = this.hanging.get(page) ?? [];
        this.hanging.delete(page);
        if (!messages)
            held.forEach((deliver) => deliver());
    }

    /** The page's process is gone. @param {any} page */
    kill(page) {
        page.dead = true;
        for (const wire of [...this.wires])
            wire.page === page && this.wires.delete(wire);
        for (const over of page.requests)
            over.abort();
        this.clock.timers = this.clock.timers.filter(({ owner }) =>
            owner !== page);
        for (const queue of this.locks.values())
            queue.filter((entry) => entry.page === page)
                .forEach((entry) => entry.leave());
    }
}
