/* e2e: two people and their photos, in a real browser. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { scene, SHORT_HISTORY } from '../shared/scene.js';

const STREAM = 'GET /api/sse/stream';
const CHANGE = 'POST /api/sse/stream';

async function importFolder(page, folder) {
    await page.getByLabel('Folder').fill(folder);
    await page.getByRole('button', { name: 'Import' }).click();
}

const done = (page, folder) => page.shows(`import of ${folder}, completed`);

async function library(t, settings) {
    const play = await scene(t, 'photo-jobs', settings);
    const [ann, bob] = [await play.person('ann'), await play.person('bob')];
    await Promise.all([ann.live(), bob.live()]);
    await Promise.all([ann, bob].map((page) => page.shows('Loads: 1.')));
    await play.streams(2);
    return { play, ann, bob };
}

test('a job is seen to run, and to end, in both windows', async (t) => {
    const { play, ann, bob } = await library(t);
    await importFolder(ann, 'Rome');
    await bob.shows('1: import of Rome, running');
    await done(bob, 'Rome');
    await done(ann, 'Rome');
    assert.equal(play.asked('GET /api/jobs'), 2);
    await bob.getByRole('button', { name: 'Ask it' }).click();
    assert.deepEqual(await bob.getByRole('definition').allTextContents(),
        ['bob', '1', '2']);
    await play.streams(2);
});

test('a second component has its channel on the same connection',
    async (t) => {
        const { play, ann, bob } = await library(t);
        const button = bob.getByRole('button', { name: 'Pending changes' });
        const changes = bob.getByLabel('Pending changes');
        await button.click();
        await importFolder(ann, 'Rome');
        await changes.getByText('Rome').waitFor();
        // It goes, is told nothing, and comes back.
        await button.click();
        await changes.waitFor({ state: 'detached' });
        await importFolder(ann, 'Oslo');
        await done(bob, 'Oslo');
        await button.click();
        await changes.getByText('Oslo').waitFor();
        await importFolder(ann, 'Bern');
        await changes.getByText('Bern').waitFor();
        await play.streams(2);
        assert.equal(play.asked(STREAM), 2);
        assert.ok(play.asked(CHANGE) >= 1); // on the live stream
        assert.equal(await play.example.broker.metric('subscriptions'), 3);
    });

test('reloaded code leaves one connection, not two', async (t) => {
    const { play, ann, bob } = await library(t);
    await bob.getByRole('button', { name: 'Pending changes' }).click();
    for (let n = 0; n < 3; n++)
        await bob.getByRole('button', { name: 'Reload the code' }).click();
    await bob.getByLabel('Pending changes', { exact: true })
        .and(bob.getByRole('region')).waitFor({ state: 'detached' });
    await importFolder(ann, 'Rome');
    await done(bob, 'Rome');
    await play.streams(2);
    assert.equal(play.asked(STREAM), 2);
});

test('nothing is missed, whatever breaks, and nothing is loaded again',
    async (t) => {
        const { play, ann, bob } = await library(t);
        await bob.offline(true);
        await bob.notLive();
        await importFolder(ann, 'Rome');
        await done(ann, 'Rome');
        await bob.offline(false);
        await done(bob, 'Rome');
        await play.killWorkers();
        await importFolder(ann, 'Oslo');
        await done(bob, 'Oslo');
        await done(ann, 'Oslo');
        play.cut();
        await bob.notLive();
        await importFolder(ann, 'Bern');
        play.mend();
        await done(bob, 'Bern');
        await done(ann, 'Bern');
        assert.equal(play.asked('GET /api/jobs'), 2);
        await play.streams(2);
    });

test('what was let go is loaded, by the component concerned alone',
    async (t) => {
        const { play, ann, bob } = await library(t, SHORT_HISTORY);
        await bob.getByRole('button', { name: 'Pending changes' }).click();
        await importFolder(ann, 'Rome');
        await bob.getByLabel('Pending changes').getByText('Rome').waitFor();
        await bob.offline(true);
        await bob.notLive();
        const before = play.asked('GET /api/changes');
        await importFolder(ann, 'Oslo');
        await done(ann, 'Oslo');
        const busy = (n) => play.example.publisher.publish('jobs', {
            type: 'job_started', data: { id: 'x', task_type: 'x' + n } });
        await play.forgets(busy);
        await bob.offline(false);
        await done(bob, 'Oslo');
        await bob.getByLabel('Pending changes').getByText('Oslo').waitFor();
        await bob.shows('Loads: 2.');
        assert.equal(play.asked('GET /api/changes'), before + 1);
        // Now it is jobs alone.
        await bob.offline(true);
        await bob.notLive();
        await play.forgets(busy);
        await bob.offline(false);
        await bob.shows('Loads: 3.');
        await play.streams(2);
        assert.equal(play.asked('GET /api/changes'), before + 1);
    });
