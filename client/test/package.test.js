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

/** Bytes that a page loads for it, minified and compressed.
 * @param {string} entry @param {string[]} external */
async function weight(entry, external) {
    const { outputFiles: [{ text }] } = await build({
        entryPoints: [here(entry)], bundle: true, format: 'esm',
        target: 'es2022', write: false, external });
    const { code } = await minify(text, { module: true, ecma: 2020,
        compress: { passes: 3 } });
    return gzipSync(/** @type {string} */ (code), { level: 9 }).length;
}

test('the core has less than 5 kB', async (t) => {
    const bytes = await weight('src/index.js',
        ['./shared.js', './event-source.js']);
    t.diagnostic(`the core has ${bytes} bytes`);
    assert.ok(bytes < 5000, `it has ${bytes}`);
});

test('what is loaded on demand is small, too', async () => {
    for (const part of ['src/shared.js', 'src/event-source.js'])
        assert.ok(await weight(part, ['./stream.js']) < 3000, part);
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
