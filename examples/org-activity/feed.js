/*
 * feed: what the stream has told, newest first, for components to show. It
 * follows the stream for as long as the page is there, whatever is drawn.
 */

const MOST = 200;

export class Feed {
    rows = [];
    received = 0;
    watchers = new Set();

    /**
     * @param {any} connection
     * @param {string} channel
     * @param {() => Promise<any[]>} load what is known, when history is lost
     */
    constructor(connection, channel, load) {
        const activity = connection.channel(channel);
        activity.on('event', ({ data }) => {
            this.received++;
            this.show([data, ...this.rows]);
        });
        activity.on('resync', async () => {
            const known = (await load()).reverse();
            this.show([...known, { gap: 'Here some history is gone.' }]);
        });
        connection.channel('marker').on('event', ({ data }) =>
            this.show([{ marker: data.cursor },
                ...this.rows.filter(({ marker }) => !marker)]));
    }

    show(rows) {
        this.rows = rows.slice(0, MOST);
        this.watchers.forEach((changed) => changed());
    }

    /** For useSyncExternalStore. */
    watch = (changed) => {
        this.watchers.add(changed);
        return () => this.watchers.delete(changed);
    };
}
