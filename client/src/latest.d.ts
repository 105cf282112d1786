import type { ChannelEvent, Connection } from './index.js';

/** The last event of each key of a channel that keeps the latest. */
export interface Latest<Data = any> {
    /** Of this key; without one, the last event that has none. Where the
     * name is a pattern, say which channel. */
    get(key?: string, channel?: string): ChannelEvent<Data> | undefined;
    /** All of them, as their keys came first: the same array until one
     * changes. */
    readonly events: readonly ChannelEvent<Data>[];
    /** Hears that something has changed, once for all events of a moment.
     * Returns a function that takes the listener away. */
    subscribe(changed: () => void): () => void;
    /** From here on nothing new is lost; what was kept comes soon after. */
    ready(): Promise<void>;
    /** Ends it for all its users: the channel is left, what is held stays. */
    close(): void;
}

/**
 * The one of this channel, or pattern, on this connection. It uses the channel
 * from the first call until close() or the connection's end. What the broker
 * has kept comes to the first use of a channel on a connection, so this must be
 * it; with the option `shared`, the first of all tabs. With `since` or
 * `storage` a stream begins where they say, without what was kept.
 */
export function latestOf<Data = any>(connection: Connection, name: string):
    Latest<Data>;
