/*
 * worker: the script of a SharedWorker that holds the streams of all tabs of an
 * origin: one leader per connection's key. A tab's first message is its
 * settings, what follows is for the leader.
 */
import { Leader } from './leader.js';
/** @import {Settings} from './internal.js' */

/** @type {Map<string, {leader: Leader, ports: Map<string, MessagePort>}>} */
const rooms = new Map();

/** @param {Settings} plain settings, what a message can carry of them */
function roomOf(plain) {
    const there = rooms.get(plain.key);
    if (there)
        return there;
    /** @type {Map<string, MessagePort>} port of each tab */
    const ports = new Map();
    const settings = { token: () => leader.ask(), ...plain, env: globalThis };
    /** @type {Leader} */
    const leader = new Leader(settings,
        (message) => ports.forEach((port) => port.postMessage(message)),
        (tab) => {
            ports.delete(tab);
            if (!ports.size) {
                leader.close();
                rooms.delete(settings.key);
            }
        });
    const room = { leader, ports };
    rooms.set(settings.key, room);
    return room;
}

globalThis.addEventListener('connect', (event) => {
    const [port] = /** @type {MessageEvent} */ (event).ports;
    /** @type {Settings} */
    let settings;
    port.onmessage = ({ data }) => {
        if (!settings) {
            settings = data;
            return;
        }
        // Its room may have been closed since, when it seemed to be gone.
        const { leader, ports } = roomOf(settings);
        ports.set(data.tab, port);
        leader.hear(data);
    };
});
