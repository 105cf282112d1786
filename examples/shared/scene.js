/*
 * scene: what an example's test plays in: the example itself, and people, each
 * with a browser window of their own that has nothing to do with the others'.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { start } from './start.js';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
    '--no-proxy-server'];
/** For a scene in which somebody misses more than is kept. */
export const SHORT_HISTORY = { 'history.max_events': '20',
    'publish.max_event': '16k', 'broker.ring': '256k',
    'broker.window': '256k', 'broker.window_events': '64' };

const CALM_MS = 400;
const PATIENCE_MS = 30000;
const BAD = /panic|Sanitizer|runtime error|Assertion|core dumped/i;

/** @type {Promise<import('playwright-core').Browser> | undefined} */
let browser;
after(async () => (await browser)?.close());

function launch() {
    const found = process.env.PATH.split(delimiter)
        .map((folder) => join(folder, 'chromium')).find(existsSync);
    assert.ok(found, 'chromium is not here: packaging/deps.sh check');
    return browser ??= chromium.launch({ args: FLAGS, executablePath: found });
}

/** Waits until it is true; its value.
 * @template Value
 * @param {() => Value | Promise<Value>} condition */
export async function waitFor(condition, what = String(condition)) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
        const value = await condition();
        if (value)
            return value;
        if (Date.now() > deadline)
            throw new Error('it did not come about: ' + what);
        await new Promise((next) => setTimeout(next, 20));
    }
}

/**
 * The example, until the test's end; the broker must then have nothing to be
 * ashamed of.
 * @param {any} test
 * @param {string} name
 * @param {Record<string, string>} [settings] of the broker
 * @param {number} [tokenSeconds]
 */
export async function scene(test, name, settings, tokenSeconds) {
    const example = await start(name, { tokenSeconds,
        settings: { 'http.retry': '50ms', ...settings } });
    const people = new Set();
    test.after(async () => {
        for (const { context } of people)
            await context.close().catch(() => {}); // somebody left before
        const status = await example.stop();
        assert.equal(status, 0, example.broker.log);
        assert.doesNotMatch(example.broker.log, BAD);
        assert.deepEqual([...people].flatMap(({ faults }) => faults), []);
    });
    return new Scene(example, people);
}

class Scene {
    constructor(example, people) {
        Object.assign(this, { example, people });
    }

    /** Somebody else, who opens the page; faults of the page fail the test.
     * @param {string} [user] */
    async person(user) {
        const userAgent = 'person ' + this.people.size;
        const context = await (await launch()).newContext({ userAgent });
        const faults = [];
        this.people.add({ context, faults });
        const { front } = this.example;
        context.setDefaultTimeout(PATIENCE_MS);
        const page = await context.newPage();
        page.on('pageerror', (error) => faults.push(error));
        await page.goto(this.example.url + (user ? `?user=${user}` : ''));
        return Object.assign(page, {
            /** Without the network: what is open breaks, too. */
            async offline(value) {
                await context.setOffline(value);
                if (value)
                    front.drop(userAgent);
            },
            /** Says the page that it is live? */
            live: () => page.getByRole('status', { name: 'Connection' })
                .filter({ hasText: /^live$/ }).waitFor(),
            notLive: () => page.getByRole('status', { name: 'Connection' })
                .filter({ hasNotText: /^live$/ }).waitFor(),
            shows: (text) => page.getByText(text).first().waitFor(),
        });
    }

    /** The broker must come to count so many streams. */
    async streams(count) {
        await waitFor(async () => await this.example.broker.streams() === count,
            `${count} streams at the broker`);
    }

    /** How often something was asked for: "GET /api/orders". */
    asked(what) {
        return this.example.front.counts[what] ?? 0;
    }

    /** Until nobody has asked for it for a while. */
    async calm(what) {
        for (let before; before !== this.asked(what);) {
            before = this.asked(what);
            await new Promise((next) => setTimeout(next, CALM_MS));
        }
    }

    /** Every worker of the broker, without warning; waits for others. */
    async killWorkers() {
        const { broker } = this.example;
        const pids = broker.workers();
        pids.forEach((pid) => process.kill(pid, 'SIGKILL'));
        await waitFor(() => broker.workers().filter((pid) =>
            !pids.includes(pid)).length === pids.length, 'new workers');
    }

    cut() {
        this.example.front.cut();
    }

    mend() {
        this.example.front.mend();
    }

    /** A request to the backend, without a page. @param {string} user */
    async as(user, method, path, body) {
        const ask = (to, how, what, token) => fetch(this.example.url + to, {
            method: how, headers: { Authorization: 'Bearer ' + token },
            body: JSON.stringify(what) });
        const { token } = user &&
            await (await ask('api/login', 'POST', { user })).json();
        const answer = await ask(path, method, body, token);
        assert.ok(answer.ok, await answer.text());
    }

    /** So much happens that what happened before it is gone.
     * @param {(n: number) => Promise<unknown>} happens */
    async forgets(happens) {
        for (let n = 0; n < 100; n++)
            await happens(n);
        await waitFor(async () => await this.example.broker.metric(
            'store_events') <= 20, 'history is let go');
    }
}
