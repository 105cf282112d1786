/*
 * error: what failed, in a form that code can act on; and how a listener's own
 * failure is made known without harm to others.
 */

export class SsemuxError extends Error {
    name = 'SsemuxError';
    code = this.message;
    status = 0;
    final = false;
    wait = 0;
    /** @type {string[]} */
    channels = [];

    /** @param {unknown} message @param {Partial<SsemuxError>} [members] */
    constructor(message, members) {
        super(String(message));
        Object.assign(this, members);
    }
}

/**
 * Calls what is a user's; what it throws goes where the platform shows uncaught
 * errors, and the caller goes on.
 * @param {() => void} what
 */
export function call(what) {
    try {
        what();
    } catch (error) {
        (globalThis.reportError ?? rethrow)(error);
    }
}

/** @param {unknown} error */
function rethrow(error) {
    queueMicrotask(() => {
        throw error;
    });
}
