import type { Observable } from 'rxjs';
import type { Channel, ChannelEvent, Connection, Resync, State }
    from '../index.js';

/** The channel's events; of these types, when any are given. */
export function eventsOf<Data>(channel: Channel<Data>, ...types: string[]):
    Observable<ChannelEvent<Data>>;

/** Each time the channel may have lost events. */
export function resyncsOf(channel: Channel): Observable<Resync>;

/** When nothing is lost from here on: the channel's name. */
export function readiesOf(channel: Channel): Observable<string>;

/** The connection's state, the one of now first; ends when it is closed. */
export function statesOf(connection: Connection): Observable<State>;
