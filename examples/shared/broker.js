/*
 * broker: a real ssemuxd for an example, with the example's own configuration,
 * a free port and a private folder, which ends with it.
 */
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync }
    from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOP = fileURLToPath(new URL('../..', import.meta.url));

/** Where make puts the programs. */
export const BUILD = resolve(TOP, process.env.SSEMUX_BUILD ?? 'build');

async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}

export class Broker {
    folder = mkdtempSync(join(tmpdir(), 'ssemux-example-'));
    socket = join(this.folder, 'pub.sock');
    /** What tokens are signed with, for who issues them and for the broker. */
    secret = randomBytes(32).toString('hex');
    log = '';

    /** What the configuration does not say, as it differs each time.
     * @param {string} config file @param {Record<string, string>} settings */
    async start(config, settings = {}) {
        this.port = await freePort();
        const secret = join(this.folder, 'secret');
        writeFileSync(secret, this.secret, { mode: 0o600 });
        const options = Object.entries({
            'broker.state_dir': this.folder, 'broker.user': '',
            'broker.workers': '2', 'publish.socket': this.socket,
            'publish.group': '', 'http.listen': `127.0.0.1:${this.port}`,
            'auth.jwt_key_file': secret, ...settings,
        }).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
        this.process = spawn(join(BUILD, 'ssemuxd'),
            ['-c', config, ...options, '-o', 'broker.ready_fd=3'],
            { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
        const [, , log, ready] = this.process.stdio;
        log.on('data', (bytes) => {
            this.log += bytes;
        });
        const [said] = await Promise.race([once(ready, 'data'),
            once(this.process, 'error'), once(this.process, 'exit')]);
        if (!Buffer.isBuffer(said))
            throw new Error(`the broker does not start: ${said}\n${this.log}`);
        ready.destroy();
    }

    /** Ends it; its exit status. */
    async stop() {
        if (this.process?.exitCode === null) {
            this.process.kill('SIGTERM');
            await once(this.process, 'exit');
        }
        rmSync(this.folder, { recursive: true, force: true });
        return this.process?.exitCode;
    }

    /** Pids of the processes that serve clients. */
    workers() {
        return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
            .filter((pid) => {
                try {
                    const [, state, parent] = /\) (\S) (\d+)/.exec(
                        readFileSync(`/proc/${pid}/stat`, 'utf8'));
                    return Number(parent) === this.process.pid &&
                        state !== 'Z' && readFileSync(
                        `/proc/${pid}/cmdline`, 'utf8').includes('worker');
                } catch {
                    return false; // it has just ended
                }
            }).map(Number);
    }

    /** One of its numbers, see ssemux-http(7). @param {string} name */
    async metric(name) {
        const answer = await fetch(`http://127.0.0.1:${this.port}/metrics`);
        const found = new RegExp(`^ssemux_${name} (\\d+)$`, 'm')
            .exec(await answer.text());
        return Number(found[1]);
    }

    /** How many event streams it counts. */
    streams() {
        return this.metric('streams');
    }
}
