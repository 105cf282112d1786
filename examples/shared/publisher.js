/*
 * publisher: gives events to the broker through ssemux-pub, which stays open:
 * a line in is an event, a line out is its cursor, once it is stored.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BUILD } from './broker.js';

export class Publisher {
    /** @param {string} socket of the broker */
    constructor(socket) {
        this.socket = socket;
    }

    /**
     * A promise of the event's cursor.
     * @param {string} channel
     * @param {{type?: string, key?: string, data: any}} event
     */
    publish(channel, event) {
        const { child, waiting } = this.run ??= this.begin();
        const stored = new Promise((resolve, reject) => {
            waiting.push({ resolve, reject });
            child.stdin.write(JSON.stringify({ channel, ...event }) + '\n');
        });
        stored.catch(() => {}); // who does not wait for it need not care
        return stored;
    }

    begin() {
        const child = spawn(join(BUILD, 'ssemux-pub'),
            ['-s', this.socket, '-j', '-i'],
            { stdio: ['pipe', 'pipe', 'inherit'] });
        const waiting = [];
        createInterface(child.stdout).on('line', (cursor) =>
            waiting.shift().resolve(cursor));
        child.stdin.on('error', () => {}); // its end is told below
        child.on('close', (status) => {
            this.run = undefined; // the next event begins another
            waiting.forEach(({ reject }) =>
                reject(new Error(`ssemux-pub ended with ${status}`)));
        });
        return { child, waiting };
    }

    /** Ends when everything is stored. */
    async stop() {
        const { child } = this.run ?? {};
        if (child) {
            child.stdin.end();
            await new Promise((resolve) => child.once('close', resolve));
        }
    }
}
