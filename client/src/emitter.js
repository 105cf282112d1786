/* emitter: listeners by name. */
import { call } from './error.js';

export function createEmitter() {
    /** @type {Map<string, Set<(value: any) => void>>} */
    const listeners = new Map();

    /** @param {string} name @param {(value: any) => void} listener */
    function off(name, listener) {
        listeners.get(name)?.delete(listener);
    }

    return {
        off,
        /** @param {string} name @param {(value: any) => void} listener */
        on(name, listener) {
            listeners.set(name,
                (listeners.get(name) ?? new Set()).add(listener));
            return () => off(name, listener);
        },
        /** How many heard it. @param {string} name @param {any} value */
        emit(name, value) {
            const hearing = [...listeners.get(name) ?? []];
            hearing.forEach((listener) => call(listener, value));
            return hearing.length;
        },
    };
}
