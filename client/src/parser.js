/*
 * parser: the bytes of an event stream to messages, by the algorithm of the
 * HTML standard, section "Server-sent events". Bytes may come in any pieces: a
 * piece may end inside a character, or between CR and LF. A message is handed
 * over as soon as its blank line is known, without waiting for the LF that may
 * follow a CR.
 *
 * Knows nothing of channels, connections or time.
 */
/** @import {Parser, ParserSink} from './parser.js' */

/**
 * @param {ParserSink} sink
 * @returns {Parser}
 */
export function createParser(sink) {
    const decoder = new TextDecoder(); // takes away one BOM at the start
    let held = ''; // the beginning of a line whose end has not come
    let splitLineEnd = false; // the last piece ended with CR
    let data = '';
    let name = '';
    let id = '';
    let own = false; // this block has an id of its own

    function dispatch() {
        const message = { name: name || 'message', data: data.slice(0, -1),
            id, own };
        const given = data;
        data = name = '';
        own = false;
        if (given)
            sink.message(message);
    }

    /** @param {string} line */
    function read(line) {
        if (!line) {
            dispatch();
            return;
        }
        const [, field, value] = /** @type {string[]} */ (
            /^([^:]*):? ?([^]*)/.exec(line));
        if (!field) {
            sink.comment?.(value);
        } else if (field === 'data') {
            data += value + '\n';
        } else if (field === 'event') {
            name = value;
        } else if (field === 'id' && !value.includes('\0')) {
            id = value;
            own = true;
        } else if (field === 'retry' && /^\d+$/.test(value)) {
            sink.retry?.(Number(value));
        }
    }

    return {
        feed(bytes) {
            let text = decoder.decode(bytes, { stream: true });
            if (!text)
                return;
            if (splitLineEnd && text[0] === '\n')
                text = text.slice(1);
            splitLineEnd = text.endsWith('\r');
            const [first, ...lines] = text.split(/\r\n?|\n/);
            lines.unshift(held + first);
            held = /** @type {string} */ (lines.pop());
            lines.forEach(read);
        },
    };
}
