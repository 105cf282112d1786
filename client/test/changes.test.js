/* changes: of a live stream, when they are slow, late or lost. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { settle } from './fake_page.js';
import { heard, page } from './fixture.js';

test('changes wait for each other, and the last one counts', async () => {
    const { broker, connection } = page({ linger: 0 });
    heard(connection.channel('a'));
    await settle();
    /** @type {(() => void)[]} */
    const answers = [];
    const slow = (/** @type {any} */ request) => new Promise((resolve) =>
        answers.push(() => resolve(broker.change(request))));
    broker.plans = [slow, slow];
    const b = heard(connection.channel('b'));
    await settle();
    connection.channel('c').on('event', () => {});
    await settle();
    connection.channel('d').on('event', () => {});
    await settle();
    assert.equal(answers.length, 1);
    answers[0]();
    await settle();
    assert.equal(answers.length, 2);
    answers[1]();
    await settle();
    assert.deepEqual([...broker.stream.channels], ['a', 'b', 'c', 'd']);
    assert.equal(broker.requests.length, 3);
    broker.publish('b', 1);
    await settle();
    assert.deepEqual(b, [1]);
});

test('a change that is answered too late counts for nothing', async () => {
    const { broker, connection, clock } = page();
    heard(connection.channel('a'));
    await settle();
    /** @type {any} */
    let answer;
    broker.plans = [(/** @type {any} */ request) => new Promise((resolve) => {
        const given = broker.change(request);
        answer = () => resolve(given);
    })];
    broker.tells = false;
    const b = heard(connection.channel('b'));
    await settle();
    broker.stream.cut();
    await clock.advance(1000);
    answer();
    await settle();
    broker.publish('b', 1);
    await settle();
    assert.deepEqual(b, [1]);
    assert.equal(broker.opened.length, 2);
});

test('a change that goes down with its stream does not hurry the next',
    async () => {
        const { broker, connection, clock } = page();
        heard(connection.channel('a'));
        await settle();
        broker.plans = [(/** @type {any} */ { signal }) =>
            new Promise((_, reject) => {
                signal.addEventListener('abort', reject);
            })];
        const b = heard(connection.channel('b'));
        await settle();
        broker.stream.cut();
        await settle();
        assert.equal(broker.opened.length, 1);
        await clock.advance(1000);
        broker.publish('b', 1);
        await settle();
        assert.deepEqual(b, [1]);
    });

test('ready comes with the word of the stream or the answer, whichever is first',
    async () => {
        const { broker, connection } = page();
        heard(connection.channel('a'));
        await settle();
        /** @type {any} */
        let answer;
        broker.plans = [(/** @type {any} */ request) => {
            const given = broker.change(request);
            broker.publish('b', 1);
            return new Promise((resolve) => {
                answer = () => resolve(given);
            });
        }];
        const b = connection.channel('b');
        const inB = heard(b);
        await b.ready();
        await settle();
        assert.deepEqual(inB, [1]);
        answer();
        broker.tells = false;
        await connection.channel('c').ready();
    });
