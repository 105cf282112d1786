/*
 * front: one address for the page, the backend's API and the broker's streams,
 * as nginx is in production. It passes to the broker what the broker's
 * configuration names: streams, pokes and stats, and nothing else.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request as ask } from 'node:http';
import { claimsOf } from './tokens.js';

/** Throw it in a handler to refuse. */
export class Refusal extends Error {
    constructor(status, text) {
        super(text);
        this.status = status;
    }
}

/** The user whose token the request has. @param {any} claims */
export function userOf(claims) {
    if (!claims)
        throw new Refusal(401, 'Who are you?');
    return claims.sub;
}

/** Paths that the broker serves. @param {string} config file */
function pathsOf(config) {
    const text = readFileSync(config, 'utf8');
    return [...text.matchAll(/^(?:\[stream (\S+)\]|(?:poke|stats) = (\S+))/gm)]
        .map(([, stream, other]) => stream ?? other);
}

/** The handler of "GET /api/orders/:id" and what id is, if it is that one. */
function match(routes, method, path) {
    for (const [route, handler] of Object.entries(routes)) {
        const [verb, pattern] = route.split(' ');
        const found = verb === method && new RegExp(
            `^${pattern.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`).exec(path);
        if (found)
            return { route, handler, params: { ...found.groups } };
    }
    return undefined;
}

async function bodyOf(request) {
    let text = '';
    for await (const part of request)
        text += part;
    try {
        return text ? JSON.parse(text) : {};
    } catch {
        throw new Refusal(400, 'not JSON');
    }
}

export class Front {
    /** How often each route was asked for, and each path of the broker. */
    counts = {};
    /** Wires to the broker, and the browser that each is of. */
    wires = new Map();
    isCut = false;

    /**
     * @param {import('./broker.js').Broker} broker
     * @param {string} config the broker's
     * @param {Record<string, Function>} routes the backend's
     * @param {Record<string, {type: string, body: any}>} files of the page
     */
    constructor(broker, config, routes, files) {
        Object.assign(this, { broker, routes, files, paths: pathsOf(config) });
        this.server = createServer((request, response) =>
            this.serve(request, response).catch(({ status = 500, message }) => {
                response.writeHead(status, { 'Content-Type': 'text/plain' });
                response.end(message);
            }));
    }

    /** Its address. @param {number} port 0: a free one */
    async listen(port) {
        this.server.listen(port, '127.0.0.1');
        await once(this.server, 'listening');
        return `http://127.0.0.1:${this.server.address().port}/`;
    }

    close() {
        this.server.close();
        this.server.closeAllConnections();
    }

    async serve(request, response) {
        const { pathname, searchParams } =
            new URL(request.url, 'http://example');
        const file = this.files[pathname];
        if (file) {
            response.writeHead(200, { 'Content-Type': file.type });
            response.end(file.body);
            return;
        }
        const found = match(this.routes, request.method, pathname);
        if (found) {
            this.count(found.route);
            const answer = await found.handler({ ...found.params,
                query: searchParams, body: await bodyOf(request), response,
                claims: claimsOf(this.broker.secret,
                    request.headers.authorization) });
            response.setHeader('Content-Type', 'application/json');
            response.end(JSON.stringify(answer ?? null));
            return;
        }
        const path = this.paths.find((path) => pathname === path ||
            pathname.startsWith(path + '/'));
        if (!path)
            throw new Refusal(404, 'There is nothing here.');
        this.count(`${request.method} ${path}`);
        this.pass(request, response);
    }

    count(what) {
        this.counts[what] = (this.counts[what] ?? 0) + 1;
    }

    // ---- to the broker

    pass(request, response) {
        if (this.isCut) {
            request.socket.destroy();
            return;
        }
        const { method, url: path, headers } = request;
        const wire = ask({ host: '127.0.0.1', port: this.broker.port, method,
            path, headers, agent: false }, (answer) => {
            response.writeHead(answer.statusCode, answer.headers);
            response.flushHeaders();
            answer.pipe(response);
            // A stream ends as the broker ended it: without a last chunk.
            answer.on('error', () => response.destroy());
        });
        this.wires.set(wire, headers['user-agent']);
        wire.on('error', () => response.destroy());
        wire.on('close', () => this.wires.delete(wire));
        response.on('close', () => wire.destroy());
        request.pipe(wire);
    }

    /** Drops the wires of a browser. @param {string} [agent] all by default */
    drop(agent) {
        for (const [wire, its] of this.wires) {
            if (!agent || its === agent)
                wire.destroy();
        }
    }

    /** Pulls the cable to the broker. */
    cut() {
        this.isCut = true;
        this.drop();
    }

    mend() {
        this.isCut = false;
    }
}
