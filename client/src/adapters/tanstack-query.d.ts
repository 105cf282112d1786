import type { Channel, ChannelEvent } from '../index.js';

type Key = readonly unknown[];

/** What of a QueryClient is needed. */
export interface Cache {
    getQueryCache(): {
        find(filters: { queryKey: any; exact: boolean }): any;
        findAll(filters: { queryKey: any; exact?: boolean;
            fetchStatus: 'fetching' }): any[];
        subscribe(listener: (event: any) => void): () => void;
    };
    setQueryData(key: any, data: any): unknown;
    invalidateQueries(filters: { queryKey: any; exact?: boolean },
        options: { cancelRefetch: boolean }): Promise<unknown>;
}

/** What an event means to the cache. */
export interface Effect {
    /** The query of the thing that changed. */
    detail?: Key;
    /** What becomes of its data, when the cache has it: members to put over the
     * old ones, or a function of the old data. Over an answer that was on its
     * way it is laid once more, so it must not matter how often. */
    patch?: object | ((held: any) => any);
    /** When it happened, in ms; default: the event's `ts`. An event that is
     * older than the last one of its thing, or than its data, has no effect. */
    ts?: number;
    /** Queries to fetch anew, once for all events of a moment. */
    lists?: readonly Key[];
}

export interface Rules<Data = any> {
    describe(event: ChannelEvent<Data>): Effect | null | undefined;
    /** All queries that the channel is about: fetched anew when events were
     * lost, and when the channel is ready, for what came before. */
    all?: readonly Key[];
    /** The time, in ms, that the data in the cache is of: an older event does
     * not change it. Default: its member `ts`. */
    tsOf?(data: any): number | undefined;
}

/** Keeps the cache fresh by the channel; returns a function that ends it. */
export function keepFresh<Data = any>(client: Cache, channel: Channel<Data>,
    rules: Rules<Data>): () => void;
