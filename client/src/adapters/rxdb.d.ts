import type { Observable, Subject } from 'rxjs';
import type { Channel, Connection, Message } from '../index.js';

/** What RxDB takes from `pull.stream$`. */
export type PullEvent = 'RESYNC' | { documents: any[]; checkpoint: any };

/**
 * The channel for `pull.stream$`. Events whose checkpoint is null are skipped.
 * "RESYNC" comes for this channel alone: when a publisher sends it, when the
 * channel has lost history, and once when it is ready.
 */
export function pullStreamOf(channel: Channel): Observable<any>;

/**
 * A Subject for each entity, fed from its channel from now on until close().
 */
export function pullStreams<Entity extends string>(connection: Connection,
    channels: Record<Entity, string>):
    { streams: Record<Entity, Subject<any>>; close(): void };

/**
 * Options for a stream of events that look like {"type":ENTITY,"event":DATA},
 * as one whose block has `envelope = type:channel.last, event:data`. A channel
 * is called by its last part there, resyncs included.
 */
export const envelope: {
    fixed: true;
    decode(message: Message): { channel: string; data: any };
    rename(channel: string): string;
};
