/* What the modules say to each other. */
import type { Message, Options, Resync, SsemuxError, State } from './index.js';

/** Where a stream's news go; also the messages between tabs. */
export interface Sink {
    state(state: State): void;
    message(message: Message): void;
    /** Everything up to this cursor, if the broker says one, has come. */
    reached(cursor: string | null | undefined): void;
    /** Where the next stream goes on. */
    cursor(): string | undefined;
    /** That cursor is worth nothing; the log goes on from here. */
    restart(cursor: string | undefined): void;
    /** From here on these channels lose nothing. */
    ready(channels: string[]): void;
    resync(resync: Resync): void;
    /** These channels are over. */
    refused(error: SsemuxError): void;
    error(error: SsemuxError): void;
    /** Something for the connection's listeners. */
    notice(name: 'live' | 'snapshot' | 'bye' | 'token-expiring', info: any): void;
}

/** A stream. */
export interface Stream extends Source {
    /** Looks whether it lives, and does not wait any longer. */
    wake(): void;
}

/** Where a connection gets its events from: a stream, or another tab's. */
export interface Source {
    /** All channels to be subscribed; with none, it closes. */
    want(channels: string[]): void;
    renew(token?: string): void;
    close(): void;
}

export interface Settings extends Options {
    url: string;
    key: string;
    env: any;
    first: number;
    longest: number;
    timeout: number;
    linger: number;
    buffer: number;
}

/** One use of a channel, or of a connection: what it hears of. */
export interface Use {
    type?: string;
    listener?: unknown;
    /** Ends it. False: it has ended before. */
    stop?(): boolean;
    event?(event: any): void;
    resync?(resync: Resync): void;
    ready?(name: string): void;
    /** It is over; why, when something failed. */
    error?(error?: SsemuxError): void;
    [notice: string]: any;
}

/** What a stream is asked for. */
export interface Asked {
    channels: string[];
    token: string | null | undefined;
    cursor: string | undefined;
}

/** What a transport tells of the stream it reads. */
export interface TransportSink {
    message(message: Message): void;
    retry(ms: number): void;
    comment(): void;
    /** Bytes came. */
    alive(): void;
}

/** Reads one stream to its end; throws when it could not be opened. */
export type Transport = (settings: Settings, asked: Asked,
    sink: TransportSink, signal: AbortSignal) => Promise<void>;
