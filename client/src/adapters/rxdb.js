/*
 * rxdb: channels as the streams that RxDB's replication pulls from. An event's
 * data is {documents, checkpoint}, which RxDB applies without a pull, or
 * "RESYNC", which lets it pull.
 */
import { Observable, Subject } from 'rxjs';

/** @type {typeof import('./rxdb.js').pullStreamOf} */
export function pullStreamOf(channel) {
    return new Observable((observer) => {
        const again = () => observer.next('RESYNC');
        const ends = [
            channel.subscribe({
                next({ data }) {
                    // Without a checkpoint RxDB would begin from the start.
                    if (data === 'RESYNC' || data?.checkpoint)
                        observer.next(data);
                },
                error: (error) => observer.error(error),
                complete: () => observer.complete(),
            }).unsubscribe,
            channel.on('resync', again),
            // The first pull may have been before the stream stood.
            channel.on('ready', again),
        ];
        return () => ends.forEach((end) => end());
    });
}

/** @type {typeof import('./rxdb.js').pullStreams} */
export function pullStreams(connection, channels) {
    const entries = Object.entries(channels).map(([entity, name]) => {
        const subject = new Subject();
        const subscription = pullStreamOf(
            connection.channel(/** @type {string} */ (name)))
            .subscribe(subject);
        return { entity, subject, subscription };
    });
    return {
        streams: /** @type {any} */ (Object.fromEntries(
            entries.map(({ entity, subject }) => [entity, subject]))),
        close() {
            for (const { subject, subscription } of entries) {
                subscription.unsubscribe();
                subject.complete();
            }
        },
    };
}

/** @type {typeof import('./rxdb.js').envelope} */
export const envelope = {
    fixed: true,
    decode({ data }) {
        const { type, event } = JSON.parse(data);
        return { channel: type, data: event };
    },
    rename: (channel) => channel.slice(channel.lastIndexOf(':') + 1),
};
