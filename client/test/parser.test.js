/*
 * parser: against the HTML standard's algorithm, written down here a second
 * time in the plainest way, over texts that were made to be hard.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createParser } from '../src/parser.js';
import { dice } from './dice.js';

/** All that a parser says about these pieces. @param {Uint8Array[]} pieces */
function parse(pieces) {
    /** @type {any[]} */
    const said = [];
    const parser = createParser({
        message: (message) => said.push(message),
        retry: (ms) => said.push(ms),
    });
    pieces.forEach((piece) => parser.feed(piece));
    return said;
}

/** The standard, on the whole text at once. @param {Uint8Array} bytes */
function standard(bytes) {
    const text = new TextDecoder().decode(bytes);
    const lines = text.split(/\r\n|\r|\n/);
    lines.pop(); // no line without its end
    const said = [];
    let [data, name, id, own] = ['', '', '', false];
    for (const line of lines) {
        const [, field, value] = /** @type {any} */ (
            /^([^:]*)(?:: ?([^]*))?$/.exec(line) ?? [0, '', '']);
        if (line === '') {
            if (data !== '')
                said.push({ name: name || 'message',
                    data: data.replace(/\n$/, ''), id, own });
            [data, name, own] = ['', '', false];
        } else if (field === 'data') {
            data += (value ?? '') + '\n';
        } else if (field === 'event') {
            name = value ?? '';
        } else if (field === 'id' && !(value ?? '').includes('\0')) {
            id = value ?? '';
            own = true;
        } else if (field === 'retry' && /^[0-9]+$/.test(value ?? '')) {
            said.push(Number(value));
        }
    }
    return said;
}

const HARD = [
    'data: a\n\n', 'data: a\r\r', 'data: a\r\n\r\n', 'data: a\n\r\n\r',
    'data\n\n', 'data:\n\n', 'data: \n\n', 'data:  x\n\n', 'data:x\ndata\n\n',
    'data: a\ndata: b\r\ndata: c\rdata:\n\n', '\n\n\r\r\r\n\r\n',
    '\ufeffdata: bom\n\n', '\ufeff\ufeffdata: two\n\ndata: x\n\n',
    'data: \ufeffinside\n\n', ':hb\ndata: after comment\n\n', ':\n\n: x\n\n',
    'id: 1-1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n', 'id: 7\n\ndata: a\n\n',
    'id: n\0ul\ndata: a\n\n', 'event: x\n\ndata: y\n\n',
    'event: x\nevent\ndata: y\n\n', 'event:x\ndata:y\n\n',
    'retry: 100\n\nretry: 1a\nretry:\nretry: -1\nretry: ٣\nretry:  5\n\n',
    'data: no end', 'data: no blank line\n', 'Data: case\n\n',
    'unknown: x\ndata: y\n\n', 'data : space\n\n', ' data: x\n\n',
    'data: "{\\"a\\":1}"\n\n', 'data: 😀𐍈é\u2028\u2029\u0085\n\n',
    'id: 😀\r\nevent: é\r\ndata: 漢字\r\n\r\n',
    'data: a:b: c\n\n', ':data: x\n\n', 'data: a\0b\n\n',
];

const bytesOf = (/** @type {string} */ text) => new TextEncoder().encode(text);

/** Not UTF-8: a piece of a character, a lone byte, too long a form. */
const BROKEN = [[0x80], [0xff, 0xfe], [0xe2, 0x82], [0xf0, 0x9f, 0x98],
    [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xef, 0xbb]].map((bytes) =>
    Uint8Array.from([...bytesOf('data: <'), ...bytes, ...bytesOf('>\n\n')]));

const ALL = [...HARD.map(bytesOf), ...BROKEN,
    Uint8Array.of(0xef, 0xbb, ...bytesOf('data: half a bom\n\n'))];

test('a parser says what the standard says', () => {
    for (const bytes of ALL)
        assert.deepEqual(parse([bytes]), standard(bytes));
    assert.deepEqual(parse([bytesOf('id: 1-2\r\nevent: e\r\ndata: a\rdata\n\n' +
        'retry: 5\ndata:b\n\n')]), [
        { name: 'e', data: 'a\n', id: '1-2', own: true }, 5,
        { name: 'message', data: 'b', id: '1-2', own: false }]);
});

test('it does not matter at which byte a stream is split', () => {
    for (const bytes of ALL) {
        const whole = standard(bytes);
        for (let at = 0; at <= bytes.length; at++)
            assert.deepEqual(parse([bytes.slice(0, at), bytes.slice(at)]),
                whole);
    }
});

test('it does not matter at which two bytes a stream is split', () => {
    for (const bytes of ALL.filter(({ length }) => length < 48)) {
        const whole = standard(bytes);
        for (let at = 0; at <= bytes.length; at++) {
            for (let next = at; next <= bytes.length; next++)
                assert.deepEqual(parse([bytes.slice(0, at),
                    bytes.slice(at, next), bytes.slice(next)]), whole);
        }
    }
});

test('a stream may come byte by byte', () => {
    for (const bytes of ALL)
        assert.deepEqual(parse([...bytes].map((byte) => Uint8Array.of(byte))),
            standard(bytes));
});

test('random streams in random pieces', () => {
    const throwDice = dice(1);
    const pick = (/** @type {any[]} */ from) =>
        from[Math.floor(throwDice() * from.length)];
    const words = ['data', 'id', 'event', 'retry', ':', ': ', ' ', '\r', '\n',
        '\r\n', '\n\n', '\r\r', '\0', '\ufeff', '1', 'é', '😀', 'x'];
    for (let turn = 0; turn < 3000; turn++) {
        const bytes = bytesOf(Array.from({ length: 40 },
            () => pick(words)).join(''));
        const pieces = [];
        for (let at = 0; at < bytes.length;) {
            const next = at + Math.floor(throwDice() * 8);
            pieces.push(bytes.slice(at, next));
            at = next;
        }
        assert.deepEqual(parse(pieces), standard(bytes));
    }
});

test('a message is handed over with its blank line, not later', () => {
    for (const end of ['\n\n', '\r\r', '\r\n\r', '\n\r'])
        assert.equal(parse([bytesOf('data: now' + end)]).length, 1);
    const said = parse([bytesOf('data: 1\r\r'), bytesOf('\ndata: 2\r\n\r'),
        new Uint8Array(0), bytesOf('\n\ndata: 3\n\n')]);
    assert.deepEqual(said.map(({ data }) => data), ['1', '2', '3']);
});

test('a long line in many pieces takes time in proportion', () => {
    const piece = bytesOf('x'.repeat(1024));
    const pieces = [bytesOf('data: '), ...Array(20000).fill(piece),
        bytesOf('\n\n')];
    const [{ data }] = parse(pieces);
    assert.equal(data.length, 20000 * 1024);
});
