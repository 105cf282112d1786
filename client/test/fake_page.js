/*
 * fake_page: what stands for a page's globalThis: its clock and timers go when
 * the test says so, its network is a fake broker, its dice are loaded.
 */

/** Lets everything happen that waits for no timer. */
export async function settle() {
    for (let turn = 0; turn < 20; turn++)
        await new Promise((resolve) => setImmediate(resolve));
}

/** The time of one or several pages. */
export class Clock {
    now = 1_000_000;
    /** @type {{at: number, call: () => void, owner: any}[]} */
    timers = [];

    /** Lets so many ms go by. @param {number} ms */
    async advance(ms) {
        const until = this.now + ms;
        await settle();
        for (;;) {
            const next = this.timers.filter(({ at }) => at <= until)
                .sort((a, b) => a.at - b.at)[0];
            if (!next)
                break;
            this.timers.splice(this.timers.indexOf(next), 1);
            this.now = Math.max(this.now, next.at);
            next.call();
            await settle();
        }
        this.now = until;
        await settle();
    }
}

/** Counts who listens. */
class Target extends EventTarget {
    listeners = 0;

    /** @param {string} name @param {any} listener @param {any} options */
    addEventListener(name, listener, options) {
        this.listeners++;
        options.signal.addEventListener('abort', () => this.listeners--);
        super.addEventListener(name, listener, options);
    }
}

export class FakePage extends Target {
    document = { visibilityState: 'visible', // its events bubble
        dispatchEvent: (/** @type {Event} */ event) =>
            this.dispatchEvent(event) };
    navigator = { onLine: true };
    location = { href: 'http://page.example/index.html' };
    /** What the dice show next; then 1/2. @type {number[]} */
    dice = [];
    Math = { random: () => this.dice.shift() ?? 0.5 };

    /** @param {any} broker @param {Clock} clock */
    constructor(broker, clock = new Clock()) {
        super();
        this.broker = broker;
        this.clock = clock;
        this.Date = { now: () => this.clock.now };
    }

    fetch(/** @type {any} */ url, /** @type {any} */ init) {
        return this.broker.fetch(url, init);
    }

    setTimeout(/** @type {() => void} */ call, /** @type {number} */ ms) {
        const timer = { at: this.clock.now + ms, call, owner: this };
        this.clock.timers.push(timer);
        return timer;
    }

    clearTimeout(/** @type {any} */ timer) {
        this.clock.timers = this.clock.timers.filter((one) => one !== timer);
    }
}
