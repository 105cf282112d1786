/* e2e: Ann with two devices, and Bob, in a real browser. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { scene, SHORT_HISTORY, waitFor } from '../shared/scene.js';

const PULL = 'POST /api/replicache/pull';
const STREAM = 'GET /api/v1/replicache/stream';

async function add(page, text) {
    await page.getByLabel('What').fill(text);
    await page.getByRole('button', { name: 'Add' }).click();
    await page.shows(text);
}

const says = (page, name) => page.locator('dt', { hasText: name })
    .locator('xpath=following-sibling::dd[1]').textContent();

/** Two devices of Ann's that are live and in step. */
async function devices(t, ...rest) {
    const play = await scene(t, 'replicache-poke', ...rest);
    const [one, two] = [await play.person('ann'), await play.person('ann')];
    await Promise.all([one.live(), two.live()]);
    await add(one, 'Milk');
    await two.shows('Milk');
    await play.streams(2);
    return { play, one, two };
}

test('what one device writes is pulled by the other, and by nobody else',
    async (t) => {
        const { play, one, two } = await devices(t);
        const bob = await play.person('bob');
        await bob.live();
        await add(bob, 'Bread');
        await two.getByLabel('Milk').click();
        await waitFor(() => one.getByLabel('Milk').isChecked());
        await one.getByRole('button', { name: 'Remove' }).click();
        await two.getByText('Milk').waitFor({ state: 'detached' });
        await bob.shows('Bread');
        assert.equal(await one.getByText('Bread').count(), 0);
        assert.equal(await bob.getByRole('listitem').count(), 1);
        await play.streams(3);
    });

test('a user pokes and counts their own devices', async (t) => {
    const { play, one, two } = await devices(t);
    const bob = await play.person('bob');
    await bob.live();
    await play.streams(3);
    await one.getByRole('button', { name: 'Poke them all' }).click();
    await one.shows('User-specific sync triggered');
    assert.equal(await says(one, 'clientsNotified'), '2');
    await two.context().close();
    await play.streams(2);
    await one.getByRole('button', { name: 'Count them' }).click();
    await one.shows('userConnections');
    assert.equal(await says(one, 'userConnections'), '1');
    assert.equal(await says(one, 'totalConnections'), '2');
    const { status } = await fetch(play.example.url +
        'api/v1/replicache/stream');
    assert.equal(status, 401);
});

test('what is written without a network is there after it', async (t) => {
    const { play, one, two } = await devices(t);
    await two.offline(true);
    await two.notLive();
    await add(one, 'Here');
    await add(two, 'There');
    await two.offline(false);
    await two.shows('Here');
    await one.shows('There');
    play.cut();
    await one.notLive();
    await add(one, 'Cut');
    play.mend();
    await two.shows('Cut');
    await play.streams(2);
});

test('killed workers cost nothing but the way back', async (t) => {
    const { play, one, two } = await devices(t);
    for (const text of ['Once', 'Twice']) {
        await play.killWorkers();
        await add(one, text);
        await two.shows(text);
    }
    await play.streams(2);
});

test('pokes that were let go are made up for by a pull', async (t) => {
    const { play, one, two } = await devices(t, SHORT_HISTORY);
    await two.getByRole('button', { name: 'Board' }).click();
    await two.shows('Welcome');
    await two.offline(true);
    await two.notLive();
    await add(one, 'Missed');
    // From now on only the board is spoken of.
    await play.forgets((n) => play.as('ann', 'PUT', 'api/board',
        { text: 'Busy ' + n }));
    await two.offline(false);
    await two.shows('Missed');
    await two.shows('Busy 99');
    await play.streams(2);
});

test('the board and reloaded code stay on the one stream', async (t) => {
    const { play, one, two } = await devices(t);
    for (const page of [one, two])
        await page.getByRole('button', { name: 'Board' }).click();
    await two.shows('Welcome');
    const pulls = play.asked(PULL);
    await one.getByLabel('Text').fill('Cake at four');
    await one.getByRole('button', { name: 'Write it' }).click();
    await two.shows('Cake at four');
    assert.equal(play.asked(PULL), pulls); // it is nothing to pull
    for (let n = 0; n < 3; n++)
        await two.getByRole('button', { name: 'Reload the code' }).click();
    await two.getByLabel('Board').waitFor({ state: 'detached' });
    await add(one, 'Bread');
    await two.shows('Bread');
    await play.streams(2);
    assert.equal(play.asked(STREAM), 2);
});
