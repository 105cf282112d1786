/* package: what is published: its size, its types, its parts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

const here = (/** @type {string} */ path) =>
    fileURLToPath(new URL('../' + path, import.meta.url));
const { dependencies, peerDependencies, exports, files } = JSON.parse(
    readFileSync(here('package.json'), 'utf8'));

/** zlibs differ: Debian's, Node's own and gzip's by 15 bytes of these. What is
 * less than 5,000 bytes with each has this many at most with any. */
const CORE_BYTES = 4960;

/**
 * Bytes that a page loads for it, minified and compressed: by esbuild alone,
 * as with `esbuild --bundle --minify | gzip -9`, and by terser behind it.
 * @param {string} entry @param {string[]} external
 */
async function weights(entry, external) {
    const bundled = async (/** @type {boolean} */ minified) => {
        const { outputFiles: [{ text }] } = await build({
            entryPoints: [here(entry)], bundle: true, format: 'esm',
            minify: minified, write: false, external });
        return text;
    };
    const { code = '' } = await minify(await bundled(false), { module: true,
        ecma: 2020, compress: { passes: 3 } });
    return [await bundled(true), code].map((text) =>
        gzipSync(text, { level: 9 }).length);
}

test('the core has less than 5 kB, whoever minifies it', async (t) => {
    const [esbuild, terser] = await weights('src/index.js',
        ['./shared.js', './event-source.js']);
    t.diagnostic(`the core: ${esbuild} bytes by esbuild, ${terser} by terser`);
    assert.ok(esbuild < CORE_BYTES && terser < CORE_BYTES);
});

test('what is loaded on demand is small, too', async () => {
    for (const part of ['src/shared.js', 'src/event-source.js'])
        for (const bytes of await weights(part, ['./stream.js']))
            assert.ok(bytes < 3000, part);
});

/** Where the sources of a folder import from.
 * @param {string} folder @returns {[string, string][]} */
function imports(folder) {
    return readdirSync(here(folder)).filter((name) => name.endsWith('.js'))
        .flatMap((name) => [...readFileSync(here(folder + name), 'utf8')
            .replace(/\/\*[^]*?\*\//g, '') // types are no imports
            .matchAll(/(?:from|import|import\() ?'([^']+)'/g)]
            .map(([, from]) => /** @type {[string, string]} */ ([name, from])));
}

test('it needs no other package; adapters need what they are for', () => {
    assert.equal(dependencies, undefined);
    const core = imports('src/');
    assert.ok(core.length > 20);
    for (const [name, from] of core)
        assert.ok(from.startsWith('./'), `${name} imports ${from}`);
    const adapters = imports('src/adapters/');
    assert.ok(adapters.length >= 3);
    for (const [name, from] of adapters)
        assert.ok(from in peerDependencies, `${name} imports ${from}`);
});

test('every file that is named exists', () => {
    for (const value of Object.values(exports).flatMap((entry) =>
        typeof entry === 'string' ? [entry] : Object.values(entry)))
        assert.ok(statSync(here(value)).isFile());
    for (const name of files)
        assert.ok(statSync(here(name)));
});

test('the types hold, in the sources and for users', () => {
    const { status, stdout } = spawnSync(process.execPath,
        [here('node_modules/typescript/bin/tsc'), '-p', here('.')],
        { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
});

test('loading it does nothing', async () => {
    const before = Reflect.ownKeys(globalThis).length;
    await import('../src/index.js');
    assert.equal(Reflect.ownKeys(globalThis).length, before);
});
