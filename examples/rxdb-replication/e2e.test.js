/* e2e: Ann with two devices, and Bob, in a real browser. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { scene, SHORT_HISTORY, waitFor } from '../shared/scene.js';

const PULL = 'GET /api/:entity';
const STREAM = 'GET /replication';

async function add(page, text, one = 'Task') {
    await page.getByLabel(one, { exact: true }).fill(text);
    await page.getByRole('region', { name: one + 's' })
        .getByRole('button', { name: 'Add' }).click();
    await page.shows(text);
}

const openNotes = (page) => page.getByRole('button', { name: 'Notes' }).click();

/** Two devices of Ann's that are live and in step, and pull no more. */
async function devices(t, ...rest) {
    const play = await scene(t, 'rxdb-replication', ...rest);
    const [one, two] = [await play.person('ann'), await play.person('ann')];
    await Promise.all([one.live(), two.live()]);
    await add(one, 'Milk');
    await two.shows('Milk');
    await add(two, 'Bread');
    await one.shows('Bread');
    await play.streams(2);
    await play.calm(PULL);
    return { play, one, two };
}

test('what one device writes is on the other without a pull, of each entity',
    async (t) => {
        const { play, one, two } = await devices(t);
        const pulls = play.asked(PULL);
        for (const page of [one, two])
            await openNotes(page);
        await add(one, 'Eggs');
        await add(one, 'Remember', 'Note');
        await two.shows('Eggs');
        await two.getByRole('region', { name: 'Notes' }).getByText('Remember')
            .waitFor();
        await two.getByLabel('Milk').click();
        await waitFor(() => one.getByLabel('Milk').isChecked());
        await one.getByRole('listitem').filter({ hasText: 'Bread' })
            .getByRole('button', { name: 'Remove' }).click();
        await two.getByText('Bread').waitFor({ state: 'detached' });
        assert.equal(play.asked(PULL), pulls);
        await play.streams(2);
    });

test('nobody sees another\'s', async (t) => {
    const { play, one } = await devices(t);
    const bob = await play.person('bob');
    await bob.live();
    await add(bob, 'Beer');
    await add(one, 'Wine');
    await bob.shows('1 in the database');
    await one.shows('3 in the database');
    await play.streams(3);
});

test('a drop that the broker can make up for costs no pull', async (t) => {
    const { play, one, two } = await devices(t);
    const pulls = play.asked(PULL);
    await two.offline(true);
    await two.notLive();
    await add(one, 'Offline');
    await two.offline(false);
    await two.shows('Offline');
    await play.killWorkers();
    await add(one, 'Killed');
    await two.shows('Killed');
    play.cut();
    await Promise.all([one.notLive(), two.notLive()]);
    await add(one, 'Cut');
    play.mend();
    await two.shows('Cut');
    assert.equal(play.asked(PULL), pulls);
    await play.streams(2);
});

test('what is written without a network is there after it', async (t) => {
    const { one, two } = await devices(t);
    await two.offline(true);
    await two.notLive();
    await add(two, 'Far away');
    await two.offline(false);
    await one.shows('Far away');
});

test('lost history is pulled, of the entity concerned alone', async (t) => {
    const { play, one, two } = await devices(t, SHORT_HISTORY);
    await openNotes(two);
    await two.offline(true);
    await two.notLive();
    await add(one, 'Missed');
    const row = { id: 'busy', text: 'Busy', done: false, _deleted: false };
    await play.forgets((n) => play.example.publisher.publish('user:ann:tasks',
        { data: { documents: [row], checkpoint: { at: 1000 + n } } }));
    const pulls = play.asked(PULL);
    await two.offline(false);
    await two.shows('Missed');
    await play.calm(PULL);
    assert.equal(play.asked(PULL), pulls + 1);
    await play.streams(2);
});

test('after a bulk import RESYNC lets each device pull', async (t) => {
    const { play, one, two } = await devices(t);
    await one.getByRole('button', { name: 'Import 200' }).click();
    await one.shows('202 in the database');
    await two.shows('202 in the database');
    await play.streams(2);
});

test('reloaded code stays on the one stream', async (t) => {
    const { play, one, two } = await devices(t);
    await openNotes(two);
    for (let n = 0; n < 3; n++)
        await two.getByRole('button', { name: 'Reload the code' }).click();
    await two.getByRole('region', { name: 'Notes' })
        .waitFor({ state: 'detached' });
    await two.shows('2 in the database');
    await add(one, 'Eggs');
    await two.shows('3 in the database');
    await play.streams(2);
    assert.equal(play.asked(STREAM), 2);
});
