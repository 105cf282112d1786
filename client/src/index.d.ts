/*
 * What ssemux-client gives: one connection per URL, and handles of channels on
 * it. The contract is here; README.md shows it in use.
 */

/** A published event. */
export interface ChannelEvent<Data = any> {
    channel: string;
    /** Left out when the publisher gave none. */
    type?: string;
    /** Id of the thing that changed, when the publisher gave one. */
    key?: string;
    data: Data;
    /** Unix time in ms at which the broker accepted it. */
    ts: number;
    /** Its place in the broker's log; "" of a snapshot's. */
    cursor: string;
    /** true: it is no news, but the latest of its key there was before. */
    snapshot?: boolean;
    [member: string]: any;
}

/** These channels may have lost events: load what they are about anew. */
export interface Resync {
    channels: string[];
    /** "history", "cursor" or "publisher"; see ssemux-http(7). */
    reason: string;
}

/** A message of the stream, before it is decoded. */
export interface Message {
    /** The event's name; "message" when it has none. */
    name: string;
    data: string;
    /** The last id that the stream gave. */
    id: string;
    /** That id was given with this very message. */
    own: boolean;
}

/**
 * Why something failed. `code` is the broker's (see ssemux-http(7)), or one of
 * "network", "silent", "revoked", "buffer-full", "closed", or
 * "http-200" and the like, when an answer is none of the broker's.
 */
export class SsemuxError extends Error {
    code: string;
    /** The HTTP status; 0 without one. */
    status: number;
    /** No further try is made. */
    final: boolean;
    /** ms that the broker asks to wait before the next try; 0: it does not. */
    wait: number;
    /** The channels concerned, where it is not all. */
    channels: string[];
}

/**
 * idle: no channel is in use. connecting: a request is on its way. open: the
 * stream stands. waiting: for the next try. closed: it is over.
 */
export type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

export interface TokenRequest {
    /** "connect" or "expiring". */
    reason: string;
}

export interface Options {
    /** Tells apart connections to one URL, as of two users. */
    name?: string;
    /** A bearer token, or who gives one: asked at every connect, and when the
     * broker says that the token is about to expire. */
    token?: string | ((request: TokenRequest) =>
        string | null | undefined | Promise<string | null | undefined>);
    /** Tabs of an origin share one connection: `true` by Web Locks and
     * BroadcastChannel, "worker" by a SharedWorker, or a function that makes
     * one of "ssemux-client/worker". Where the browser cannot, each tab has
     * its own connection. Default: false. */
    shared?: boolean | 'worker' | (() => SharedWorker);
    /** "eventsource" uses the browser's own EventSource, as long as no token
     * is given; default "fetch". */
    transport?: 'fetch' | 'eventsource';
    /** The stream's block says the channels: none are asked for, handles only
     * divide what comes. Default: false. */
    fixed?: boolean;
    /** Where the first stream starts: a cursor, "-10m", an ISO 8601 time,
     * "now". Default: the broker's. */
    since?: string;
    /** Names of the query's parameters, where the stream's block has others. */
    parameters?: { channels?: string; since?: string };
    /** What a message of the stream is; null for none of interest. Default: the
     * tagged format. What it throws is reported as malformed. */
    decode?: (message: Message) =>
        (Partial<ChannelEvent> & { channel: string }) | null | undefined;
    /** What a channel of the broker is called here, where `decode` gives other
     * names; control events, as resync, have the broker's. It gets patterns,
     * too, and its own results. */
    rename?: (channel: string) => string;
    /** Keeps the cursor across page loads, as sessionStorage does. */
    storage?: Pick<Storage, 'getItem' | 'setItem'>;
    /** ms of the first and longest wait between two tries: 1000, 30000. */
    first?: number;
    longest?: number;
    /** ms in which a request must be answered: 30000. */
    timeout?: number;
    /** Seconds between signs of life, where the stream does not say. */
    heartbeat?: number;
    /** ms that a channel without users stays subscribed: 1000. */
    linger?: number;
    /** Events that an iterator may lag behind: 10000. */
    buffer?: number;
    headers?: Record<string, string>;
    credentials?: RequestCredentials;
    fetch?: typeof fetch;
    /** In place of globalThis: timers, clock, dice, network. For tests. */
    env?: any;
}

export interface ConnectionEvents {
    state: State;
    /** Each failure; `final` says whether it was the last. */
    error: SsemuxError;
    /** What could not be read, and was skipped. */
    malformed: { error: unknown; message: Message };
    resync: Resync;
    /** Everything up to this cursor has come. */
    live: { cursor?: string };
    /** What these channels are like comes next: of each key the latest event,
     * with the member `snapshot`. */
    snapshot: { channels: string[] };
    /** The token ends soon, and there is no callback to ask for another. */
    'token-expiring': { expires?: unknown; seconds?: number };
    /** The broker ends the stream; it will be opened again. */
    bye: { reason?: string };
}

export interface Connection {
    readonly url: string;
    readonly state: State;
    /** The place up to which everything has come. */
    readonly cursor: string | undefined;
    /** A handle of a channel, a prefix "org:42:*", or "*". */
    channel<Data = any>(name: string): Channel<Data>;
    /** Returns a function that takes the listener away. */
    on<Name extends keyof ConnectionEvents>(name: Name,
        listener: (event: ConnectionEvents[Name]) => void): () => void;
    off<Name extends keyof ConnectionEvents>(name: Name,
        listener: (event: ConnectionEvents[Name]) => void): void;
    /** Gives the live stream another token; without one, the callback's. */
    renew(token?: string): void;
    /** Ends it for all its users; connect() then makes another. */
    close(): void;
}

export interface Observer<Value> {
    next?(value: Value): void;
    error?(error: unknown): void;
    complete?(): void;
}

export interface Subscription {
    readonly closed: boolean;
    unsubscribe(): void;
}

/**
 * A handle of a channel. It costs nothing until it is used: by a listener, an
 * observer or an iterator. The first use on the page subscribes the channel,
 * the end of the last one leaves it.
 */
export interface Channel<Data = any> extends AsyncIterable<ChannelEvent<Data>> {
    readonly name: string;
    /** Nothing is lost from here on: load what the channel is about now. */
    ready(): Promise<void>;
    /** "event" is every event; a type is the events of it. Returns a function
     * that takes the listener away. */
    on(name: 'resync', listener: (resync: Resync) => void): () => void;
    on(name: 'ready', listener: () => void): () => void;
    on(name: 'error', listener: (error: SsemuxError) => void): () => void;
    on(type: string, listener: (event: ChannelEvent<Data>) => void): () => void;
    off(name: string, listener: (value: any) => void): void;
    subscribe(observer: Observer<ChannelEvent<Data>>
        | ((event: ChannelEvent<Data>) => void),
        error?: (error: unknown) => void, complete?: () => void): Subscription;
    [Symbol.asyncIterator](): AsyncIterableIterator<ChannelEvent<Data>>;
    /** Ends every use of this handle. */
    close(): void;
}

/** The connection to this URL; there is never a second one. */
export function connect(url: string | URL, options?: Options): Connection;
