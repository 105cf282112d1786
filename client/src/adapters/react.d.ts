import type { ChannelEvent, Connection, Resync, SsemuxError, State }
    from '../index.js';

export interface Handlers<Data = any> {
    event?(event: ChannelEvent<Data>): void;
    /** Load what the channel is about anew. */
    resync?(resync: Resync): void;
    /** Nothing is lost from here on. */
    ready?(name: string): void;
    error?(error: SsemuxError): void;
}

/**
 * Uses the channel while the component is there. The handlers may be other
 * functions at each render. Without connection or name nothing is used.
 */
export function useChannel<Data = any>(
    connection: Connection | null | undefined, name: string | null | undefined,
    handlers: Handlers<Data>): void;

/** The last event, of this type if one is given, since the component is there. */
export function useLatest<Data = any>(
    connection: Connection | null | undefined, name: string | null | undefined,
    type?: string): ChannelEvent<Data> | undefined;

/** The connection's state; rendered anew when it changes. */
export function useConnectionState(connection: Connection): State;
