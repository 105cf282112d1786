/*
 * clients: other people's clients of event streams, each used as its manual
 * says. What they hear goes into a record; what a user does about tokens that
 * expire is done as with each of them one would.
 *
 * A user hears "token-expiring" and gets another token. When it has been too
 * late for that, a stream is answered 401: some clients then go on by
 * themselves, others stop for ever and are made anew, at the last event's id.
 */
import { sign } from './token.js';

export class Listener {
    /** @type {number[]} */
    got = [];
    /** Control events, by name. @type {Record<string, number>} */
    heard = {};
    last = '';
    token = '';

    /** @param {{url: string, secret?: string, lives?: number[]}} plan each
     * token lives so many seconds; the last one is used from then on */
    constructor({ url, secret = '', lives = [] }) {
        this.url = url;
        this.secret = secret;
        this.lives = [...lives];
    }

    /** Gets the next token. */
    async renew() {
        const seconds = this.lives.shift();
        if (seconds)
            this.token = await sign(this.secret, seconds);
    }

    get bearer() {
        return this.token ? { Authorization: 'Bearer ' + this.token } :
            /** @type {Record<string, string>} */ ({});
    }

    /** The URL with these parameters. @param {Record<string, string>} more */
    with(more) {
        const url = new URL(this.url);
        for (const [name, value] of Object.entries(more))
            value && url.searchParams.set(name, value);
        return url.href;
    }

    /** An event of the stream. @param {string} name @param {string} data
     * @param {string} [id] */
    hear(name, data, id) {
        this.last = id || this.last;
        if (name === 'message')
            this.got.push(JSON.parse(data).data);
        else
            this.heard[name] = (this.heard[name] ?? 0) + 1;
    }

    /** Hears an EventSource, or what looks like one. @param {any} source
     * @param {() => void} [expiring] */
    listen(source, expiring = () => this.renew()) {
        for (const name of ['message', 'connected', 'live', 'resync', 'bye',
            'token-expiring']) {
            source.addEventListener(name, (/** @type {any} */ event) => {
                this.hear(name, event.data, event.lastEventId);
                if (name === 'token-expiring' && !this.late)
                    expiring();
            });
        }
    }

    /** Is this token one that nobody renews in time? */
    get late() {
        return this.lives.length > 1;
    }

    refused() {
        this.hear('401', '');
    }
}

/** An EventSource that stops for ever at a 401; its user makes another.
 * @param {Listener} record @param {(record: Listener) => any} make
 * @param {(event: any, source: any) => boolean} isOver */
export function remake(record, make,
    isOver = (event, source) => source.readyState === 2) {
    const source = make(record);
    let over = false;
    const again = async () => {
        if (over)
            return;
        over = true;
        source.close();
        await record.renew();
        remake(record, make, isOver);
    };
    record.listen(source, again);
    source.addEventListener('error', (/** @type {any} */ event) => {
        if (isOver(event, source)) {
            record.refused();
            again();
        }
    });
}
