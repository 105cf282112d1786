/*
 * rxjs: a channel's events, and what else is to be known of it, as Observables.
 * Each subscription is a use of the channel.
 */
import { Observable } from 'rxjs';
/** @import {Channel, Connection} from '../index.js' */

/** @type {typeof import('./rxjs.js').eventsOf} */
export function eventsOf(channel, ...types) {
    return new Observable((observer) => {
        const { unsubscribe } = channel.subscribe({
            next(event) {
                if (!types.length || types.includes(event.type ?? ''))
                    observer.next(event);
            },
            error: (error) => observer.error(error),
            complete: () => observer.complete(),
        });
        return unsubscribe;
    });
}

/**
 * What a listener hears of a name.
 * @param {Channel} channel
 * @param {'resync' | 'ready'} name
 * @returns {Observable<any>}
 */
function heard(channel, name) {
    return new Observable((observer) => {
        const ends = [
            channel.on(/** @type {any} */ (name),
                (/** @type {any} */ value) => observer.next(value)),
            channel.subscribe({
                error: (error) => observer.error(error),
                complete: () => observer.complete(),
            }).unsubscribe,
        ];
        return () => ends.forEach((end) => end());
    });
}

/** @type {typeof import('./rxjs.js').resyncsOf} */
export function resyncsOf(channel) {
    return heard(channel, 'resync');
}

/** @type {typeof import('./rxjs.js').readiesOf} */
export function readiesOf(channel) {
    return heard(channel, 'ready');
}

/** @type {typeof import('./rxjs.js').statesOf} */
export function statesOf(connection) {
    return new Observable((observer) => {
        observer.next(connection.state);
        return connection.on('state', (state) => {
            observer.next(state);
            if (state === 'closed')
                observer.complete();
        });
    });
}
