/* e2e: two people at the shop, in a real browser. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { scene, SHORT_HISTORY, waitFor } from '../shared/scene.js';

const DETAIL = 'GET /api/orders/:id';
const STREAM = 'GET /api/v1/stream/events';

const setStatus = (page, status) =>
    page.getByLabel('Status').selectOption(status);

/** It must come to show this status of the order, alone and in the list. */
async function showsStatus(page, status, id = 'ord_1') {
    await waitFor(async () =>
        await page.getByLabel('Status').inputValue() === status, status);
    await page.getByRole('row').filter({ hasText: id })
        .filter({ hasText: status }).waitFor();
}

/** Ann and Bob look at the same order, and nothing is on its way. */
async function shop(t, settings) {
    const play = await scene(t, 'orders-tanstack', settings);
    const [ann, bob] = [await play.person(), await play.person()];
    await Promise.all([ann.live(), bob.live()]);
    await setStatus(ann, 'packed');
    await showsStatus(bob, 'packed');
    for (const { locator } of [ann, bob].map((page) =>
        ({ locator: page.locator('[aria-busy=false]') })))
        await locator.waitFor();
    await play.streams(2);
    return { play, ann, bob };
}

test('an edit is seen in the other window, and nobody fetches the order',
    async (t) => {
        const { play, ann, bob } = await shop(t);
        const before = play.asked(DETAIL);
        await setStatus(ann, 'shipped');
        await showsStatus(bob, 'shipped');
        await bob.getByLabel('Note').fill('Ring twice');
        await bob.getByRole('button', { name: 'Write it' }).click();
        await ann.shows('Ring twice');
        await ann.getByRole('button', { name: 'Order it' }).click();
        await bob.getByRole('button', { name: 'ord_3' }).waitFor();
        assert.equal(play.asked(DETAIL), before);
        await play.streams(2);
    });

test('what happens while the network is away is there after it', async (t) => {
    const { play, ann, bob } = await shop(t);
    const before = play.asked(DETAIL);
    await bob.offline(true);
    await bob.notLive();
    await play.streams(1);
    await setStatus(ann, 'shipped');
    await setStatus(ann, 'delivered');
    await bob.offline(false);
    await showsStatus(bob, 'delivered');
    // The cable to the broker, of everybody.
    play.cut();
    await Promise.all([ann.notLive(), bob.notLive()]);
    await setStatus(ann, 'new');
    play.mend();
    await showsStatus(ann, 'new');
    await showsStatus(bob, 'new');
    assert.equal(play.asked(DETAIL), before);
    await play.streams(2);
});

test('killed workers cost nothing but the way back', async (t) => {
    const { play, ann, bob } = await shop(t);
    const before = play.asked(DETAIL);
    for (const status of ['shipped', 'delivered']) {
        await play.killWorkers();
        await setStatus(ann, status);
        await showsStatus(bob, status);
        await showsStatus(ann, status);
    }
    assert.equal(play.asked(DETAIL), before);
    await play.streams(2);
});

test('what was let go before it was seen is fetched', async (t) => {
    const { play, ann, bob } = await shop(t, SHORT_HISTORY);
    const before = play.asked(DETAIL);
    await bob.offline(true);
    await bob.notLive();
    await setStatus(ann, 'delivered');
    await play.forgets(() => play.as('', 'PATCH', 'api/orders/ord_2',
        { note: 'once more' }));
    await bob.offline(false);
    await showsStatus(bob, 'delivered');
    assert.equal(play.asked(DETAIL), before + 1);
    await play.streams(2);
});

test('another panel and reloaded code stay on the one stream', async (t) => {
    const { play, ann, bob } = await shop(t);
    await bob.getByRole('button', { name: 'Stock' }).click();
    const left = bob.getByLabel('Stock').getByRole('definition').first();
    await left.filter({ hasText: '19' }).waitFor();
    await ann.getByRole('button', { name: 'Order it' }).click();
    await left.filter({ hasText: '18' }).waitFor();
    for (let n = 0; n < 3; n++)
        await bob.getByRole('button', { name: 'Reload the code' }).click();
    await bob.getByLabel('Stock').waitFor({ state: 'detached' });
    await setStatus(ann, 'shipped');
    await showsStatus(bob, 'shipped');
    await play.streams(2);
    assert.equal(play.asked(STREAM), 2);
});
