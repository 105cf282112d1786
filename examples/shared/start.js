/*
 * start: an example with all its parts, at one address:
 *
 *	node examples/shared/start.js orders-tanstack
 *
 * Its folder has ssemuxd.conf for the broker, backend.js with the routes of its
 * API, index.html, and page.jsx, which becomes page.js here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Broker } from './broker.js';
import { Front } from './front.js';
import { Publisher } from './publisher.js';

const SHARED = fileURLToPath(new URL('.', import.meta.url));

/** Of these the client takes the page's, and none of its own folder. */
const ONE = Object.fromEntries(['react', 'rxjs'].map((name) =>
    [name, join(SHARED, '../node_modules', name)]));

/** The page's modules, and what they import, in one. */
async function bundle(entry) {
    const { outputFiles: [{ text }] } = await build({
        entryPoints: [entry], bundle: true, format: 'esm', target: 'es2022',
        write: false, jsx: 'automatic', alias: ONE,
        define: { 'process.env.NODE_ENV': '"development"' } });
    return text;
}

/** Made once, however often an example is started. */
const pages = {};

async function filesOf(folder) {
    const html = readFileSync(join(folder, 'index.html'));
    const css = readFileSync(join(SHARED, 'page/style.css'));
    const script = await bundle(join(folder, 'page.jsx'));
    return {
        '/': { type: 'text/html; charset=utf-8', body: html },
        '/style.css': { type: 'text/css', body: css },
        '/page.js': { type: 'text/javascript', body: script },
        '/favicon.ico': { type: 'image/x-icon', body: '' },
    };
}

/**
 * @param {string} name of its folder
 * @param {{port?: number, settings?: Record<string, string>,
 *     tokenSeconds?: number}} [options]
 *     settings: the broker's, in place of its configuration's;
 *     tokenSeconds: how long the backend's tokens are good
 */
export async function start(name,
    { port = 0, settings, tokenSeconds = 300 } = {}) {
    const folder = join(SHARED, '..', name);
    const config = join(folder, 'ssemuxd.conf');
    const { backend } = await import(join(folder, 'backend.js'));
    const broker = new Broker();
    try {
        const [files] = await Promise.all([pages[name] ??= filesOf(folder),
            broker.start(config, settings)]);
        const publisher = new Publisher(broker.socket);
        const routes = backend({ secret: broker.secret, tokenSeconds,
            publish: (channel, event) => publisher.publish(channel, event) });
        routes['GET /example/streams'] = () => broker.streams();
        const front = new Front(broker, config, routes, files);
        return { broker, front, publisher, url: await front.listen(port),
            async stop() {
                front.close();
                await publisher.stop();
                return broker.stop();
            } };
    } catch (error) {
        await broker.stop();
        throw error;
    }
}

async function main(name) {
    const port = Number(process.env.PORT ?? 8100);
    const example = await start(name, { port }).catch((error) => {
        if (error.code !== 'EADDRINUSE')
            throw error;
        return start(name); // any other port, then
    });
    console.log(`\n${name} runs: open ${example.url} in two windows.\n
Workers of the broker, to kill -9: ${example.broker.workers().join(' ')}
Its socket: ${example.broker.socket}
Ctrl-C here ends it.\n`);
    const end = () => example.stop().then((status) => process.exit(status));
    process.once('SIGINT', end).once('SIGTERM', end);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
    await main(process.argv[2]);
