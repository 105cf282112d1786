/*
 * broker: a real ssemuxd in a private folder. SSEMUX_BUILD says which build;
 * without one the tests fail, they do not skip.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOP = fileURLToPath(new URL('../..', import.meta.url));
const BUILD = resolve(TOP, process.env.SSEMUX_BUILD ?? 'build');

const BAD = /panic|Sanitizer|runtime error|Assertion|core dumped/i;

/** Waits until it is true; its value.
 * @template Value
 * @param {() => Value | Promise<Value>} condition */
export async function waitFor(condition, what = String(condition), ms = 20000) {
    const deadline = Date.now() + ms;
    for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
        const value = await condition();
        if (value)
            return value;
        if (Date.now() > deadline)
            throw new Error('it did not come about: ' + what);
        await new Promise((next) => setTimeout(next, pause));
    }
}

async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = /** @type {any} */ (server.address());
    server.close();
    await once(server, 'close');
    return port;
}

/** @param {number} pid */
function processOf(pid) {
    try {
        const [, state, parent] = /** @type {any} */ (/\) (\S) (\d+)/.exec(
            readFileSync(`/proc/${pid}/stat`, 'utf8')));
        const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
            .replace(/\0/g, ' ').trim();
        return { state, parent: Number(parent), title };
    } catch {
        return { state: 'X', parent: 0, title: '' };
    }
}

export class Broker {
    folder = mkdtempSync(join(tmpdir(), 'ssemux-client-'));
    socket = join(this.folder, 'pub.sock');
    port = 0;
    log = '';
    /** @type {Record<string, string>} */
    settings = {};

    /** @param {any} test that it ends with
     * @param {Record<string, string>} [settings] */
    static start(test, settings) {
        return new Broker().start(test, settings);
    }

    /** @param {any} test that it ends with
     * @param {Record<string, string>} [settings] */
    async start(test, settings = {}) {
        this.port = await freePort();
        this.settings = {
            'broker.state_dir': this.folder, 'broker.user': '',
            'broker.workers': '2', 'publish.socket': this.socket,
            'publish.group': '', 'http.listen': '127.0.0.1:' + this.port,
            'http.retry': '50ms', ...settings };
        test.after(() => this.finish());
        await this.run();
        return this;
    }

    get url() {
        return `http://127.0.0.1:${this.port}/stream`;
    }

    async run() {
        const options = Object.entries(this.settings).flatMap(
            ([key, value]) => ['-o', `${key}=${value}`]);
        this.process = spawn(join(BUILD, 'ssemuxd'),
            [...options, '-o', 'broker.ready_fd=3'],
            { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
        const [, , log, ready] = /** @type {any[]} */ (this.process.stdio);
        log.on('data', (/** @type {Buffer} */ bytes) => {
            this.log += bytes;
        });
        const [said] = await Promise.race([once(ready, 'data'),
            once(this.process, 'error'), once(this.process, 'exit')]);
        if (!Buffer.isBuffer(said))
            throw new Error(`the broker does not start: ${said}\n${this.log}`);
        ready.destroy();
    }

    async stop() {
        this.process?.kill('SIGTERM');
        if (this.process?.exitCode === null)
            await once(this.process, 'exit');
    }

    /** Ends it: it must go as it should, with nothing to be ashamed of. */
    async finish() {
        try {
            await this.stop();
            assert.equal(this.process?.exitCode, 0, this.log);
            assert.doesNotMatch(this.log, BAD);
        } finally {
            this.process?.kill('SIGKILL');
            rmSync(this.folder, { recursive: true, force: true });
        }
    }

    /** Pids of the workers. */
    workers() {
        return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
            .map(Number).filter((pid) => {
                const { state, parent, title } = processOf(pid);
                return parent === this.process?.pid && state !== 'Z' &&
                    /ssemuxd: worker/.test(title);
            });
    }

    async killWorkers() {
        const pids = this.workers();
        pids.forEach((pid) => process.kill(pid, 'SIGKILL'));
        await waitFor(() => this.workers().some((pid) => !pids.includes(pid)),
            'new workers');
        return pids.length;
    }

    /** Publishes rows of {channel, type, key, data}; waits for the answer.
     * @param {any[]} rows */
    async publish(...rows) {
        await this.pub(['-j'], rows.map((row) => JSON.stringify(row)).join('\n'));
    }

    /** Runs ssemux-pub. @param {string[]} options */
    pub(options, input = '') {
        return this.#run('ssemux-pub', options, input && input + '\n');
    }

    /** Runs ssemuxctl. @param {string[]} options */
    control(options) {
        return this.#run('ssemuxctl', options);
    }

    /** @param {string} program @param {string[]} options */
    async #run(program, options, input = '') {
        const child = spawn(join(BUILD, program),
            ['-s', this.socket, ...options],
            { stdio: ['pipe', 'ignore', 'inherit'] });
        child.stdin?.on('error', () => {}); // it need not read
        child.stdin?.end(input);
        const [status] = await once(child, 'exit');
        if (status !== 0)
            throw new Error(`${program} ended with ${status}`);
    }

    async stats() {
        const answer = await fetch(new URL('/stats', this.url));
        return /** @type {any} */ (await answer.json());
    }
}
