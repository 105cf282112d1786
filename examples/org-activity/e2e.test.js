/* e2e: members of two organisations and the public, in a real browser. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { scene, SHORT_HISTORY, waitFor } from '../shared/scene.js';

const STREAM = 'GET /activity/org';

async function make(page, entity, title, how) {
    await page.getByLabel('Kind').selectOption(entity);
    await page.getByLabel('Title').fill(title);
    if (how === 'in public')
        await page.getByLabel('public').check();
    await page.getByRole('button', { name: 'Make it' }).click();
}

/** The rows of the feed, newest first. */
const rows = (page) => page.getByLabel('Activity').getByRole('listitem')
    .locator('span').allTextContents();

async function members(t, ...rest) {
    const play = await scene(t, 'org-activity', ...rest);
    const [ann, bob] = [await play.person('ann'), await play.person('bob')];
    await Promise.all([ann.live(), bob.live()]);
    await play.streams(2);
    return { play, ann, bob };
}

test('each sees their organisation, and of it what they may', async (t) => {
    const { play, ann, bob } = await members(t);
    const cyd = await play.person('cyd');
    const anybody = await play.person('anybody');
    await Promise.all([cyd.live(), anybody.live()]);
    await make(ann, 'file', 'Secret');
    await make(ann, 'page', 'Plan');
    await make(cyd, 'page', 'News', 'in public');
    await ann.shows('ann created the page “Plan”');
    await bob.shows('ann created the page “Plan”');
    await cyd.shows('cyd created the page “News”');
    await anybody.shows('cyd created the page “News”');
    await bob.getByRole('button', { name: 'Stress it' }).click();
    await ann.shows('bob updated the page “Plan!”');
    await bob.shows('bob updated the page “Plan!”');
    assert.deepEqual(await rows(ann), ['bob updated the page “Plan!”',
        'ann created the page “Plan”', 'ann created the file “Secret”']);
    assert.deepEqual(await rows(bob), ['bob updated the page “Plan!”',
        'ann created the page “Plan”']);
    assert.equal((await rows(cyd)).length, 1);
    assert.equal((await rows(anybody)).length, 1);
    await play.streams(4);
});

test('who comes later catches up to a marker, then it is live', async (t) => {
    const { play, ann } = await members(t);
    for (const title of ['One', 'Two']) {
        await make(ann, 'page', title);
        await ann.shows(`ann created the page “${title}”`);
    }
    const late = await play.person('ann');
    await late.shows(/new since \d+-\d+/);
    await make(ann, 'page', 'Three');
    await late.shows('ann created the page “Three”');
    const all = await late.getByLabel('Activity').getByRole('listitem')
        .allTextContents();
    assert.deepEqual(all.map((text) => /new since|“(\w+)”/.exec(text)[1]),
        ['Three', undefined, 'Two', 'One']);
    await late.getByRole('button', { name: 'Export' }).click();
    await late.shows('The broker has 3 events for you.');
    await play.streams(3);
});

test('nothing is lost or twice, whatever breaks', async (t) => {
    const { play, ann, bob } = await members(t);
    let made = 0;
    const happen = () => make(ann, 'page', `Page ${++made}`);
    const seen = async (page) => {
        await page.shows(`ann created the page “Page ${made}”`);
        await page.shows(`${made} events received`);
        assert.equal((await rows(page)).length, made);
    };
    await happen();
    await seen(bob);
    await bob.offline(true);
    await bob.notLive();
    await happen();
    await happen();
    await bob.offline(false);
    await seen(bob);
    for (let n = 0; n < 2; n++) {
        await play.killWorkers();
        await happen();
        await seen(bob);
        await seen(ann);
    }
    play.cut();
    await bob.notLive();
    await happen();
    play.mend();
    await seen(bob);
    await seen(ann);
    await play.streams(2);
});

test('what the broker has let go comes from the record', async (t) => {
    const { play, ann, bob } = await members(t, SHORT_HISTORY);
    await make(ann, 'page', 'Before');
    await bob.shows('ann created the page “Before”');
    await bob.offline(true);
    await bob.notLive();
    await make(ann, 'page', 'Missed');
    await ann.shows('ann created the page “Missed”');
    await play.forgets((n) => play.as('ann', 'PATCH', 'api/things/thing_1',
        { title: 'Busy ' + n }));
    await bob.offline(false);
    await bob.shows('Here some history is gone.');
    await bob.shows('ann updated the page “Busy 99”');
    await bob.shows('ann created the page “Missed”');
    await play.streams(2);
});

test('notices and reloaded code stay on the one stream', async (t) => {
    const { play, ann, bob } = await members(t);
    for (const page of [ann, bob])
        await page.getByRole('button', { name: 'Notices' }).click();
    await ann.getByLabel('Notice', { exact: true }).fill('Cake at four');
    await ann.getByRole('button', { name: 'Post it' }).click();
    await bob.shows('ann: Cake at four');
    await make(ann, 'page', 'Before');
    await bob.shows('ann created the page “Before”');
    for (let n = 0; n < 3; n++)
        await bob.getByRole('button', { name: 'Reload the code' }).click();
    await bob.getByLabel('Notices').waitFor({ state: 'detached' });
    await make(ann, 'page', 'After');
    await bob.shows('ann created the page “After”');
    await bob.shows('2 events received');
    await bob.getByRole('button', { name: 'Notices' }).click();
    await ann.getByLabel('Notice', { exact: true }).fill('No cake left');
    await ann.getByRole('button', { name: 'Post it' }).click();
    await bob.shows('ann: No cake left');
    await play.streams(2);
    assert.equal(play.asked(STREAM), 2);
});

test('a token that ends is followed by another, on the live stream',
    async (t) => {
        const { play, ann, bob } = await members(t, undefined, 4);
        const logins = play.asked('POST /api/login');
        await waitFor(() => play.asked('POST /api/login') >= logins + 4);
        await make(ann, 'page', 'Still here');
        await bob.shows('ann created the page “Still here”');
        await play.streams(2);
        assert.equal(play.asked(STREAM), 2);
    });
