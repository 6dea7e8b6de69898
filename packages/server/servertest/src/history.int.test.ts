import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { background } from '@samovar/context';
import { eventToJson } from '@samovar/eda';
import { GitFolder } from '@samovar/repostest/git';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SamovarCommand } from './command.ts';
import { eventsOf, hashesIn, recordedHashes } from './events.ts';
import { describeOnLogs, type TestLog } from './logs.ts';

let git: GitFolder;
let data: string;
let log: TestLog;
let env: NodeJS.ProcessEnv;

describeOnLogs((name, freshLog) => {
  beforeEach(async () => {
    git = await GitFolder.make();
    data = join(git.path, 'data');
    log = freshLog();
    env = { ...git.env, ...log.env };
  });
  afterEach(() => git[Symbol.asyncDispose]());

  describe('the history of repositories', recording);
  describe('a server that is killed or stopped', restarting);
  if (name === 'SQLite') describe('a server', faring);
});

const serve = (...args: string[]) =>
  new SamovarCommand(['serve', ...args, '--data', data, '--port', '0'], { cwd: git.path, env });

const countOf = async (repo: string) => Number(await git.run(repo, ['rev-list', '--all', '--count']));

/** What the log holds, with no server running. */
async function storedHashes(): Promise<string[]> {
  await using conn = await log.connect(data);
  const hashes: string[] = [];
  for await (const event of conn.read(background, 'repos.*')) hashes.push(...hashesIn(eventToJson(event)));
  return hashes;
}

function recording(): void {
  it('records what git has, once, over any number of starts', async () => {
    const tea = await git.init('all/tea');
    await git.fill(tea, 500);
    await git.run(tea, ['tag', 'v1', 'main~3']);
    await git.run(tea, ['branch', 'old', 'main~20']);
    const milk = await git.init('all/deep/milk, fresh');
    await git.commit(milk);
    await git.init('all/empty');

    for (let start = 1; start <= 2; start++) {
      await using samovar = serve('all');
      const url = await samovar.url();
      await samovar.says(/observing/);
      expect(samovar.stdout).toMatch(/^tea: 500 commits, head at [0-9a-f]{7} \(refs\/heads\/main\)$/m);
      expect(samovar.stdout).toMatch(/^deep\/milk, fresh: 1 commit, head at [0-9a-f]{7} \(refs\/heads\/main\)$/m);
      expect(samovar.stdout).toMatch(/^empty: 0 commits, no commit yet on refs\/heads\/main$/m);
      const hashes = await recordedHashes(url);
      expect(hashes).toHaveLength((await countOf(tea)) + 1);
      expect(new Set(hashes).size).toBe(hashes.length);
      expect(await samovar.stop('SIGINT')).toMatchObject({ code: 0, stderr: '' });
      expect(samovar.stdout.trimEnd().split('\n').at(-1)).toBe('stopping…');
    }
    expect(await readdir(data)).not.toContain('samovar.pid');
  });

  it('makes a new commit an event within two seconds, and tells of it', async () => {
    const tea = await git.init('tea');
    await git.commit(tea);
    await using samovar = serve('tea');
    const url = await samovar.url();
    await samovar.says(/observing/);
    const { value: last } = await eventsOf(url, 'repos.*/events?backwards=true&limit=1').next();
    const news = eventsOf(url, `repos.*/events?watch=true&after=${last?.id}`);
    const first = news.next();
    const hash = await git.commit(tea);
    const committed = performance.now();
    const { value } = await first;
    expect(hashesIn(value)).toEqual([hash]);
    expect(performance.now() - committed).toBeLessThan(2_000);
    await samovar.says(new RegExp(`^tea: 1 new commit, head at ${hash.slice(0, 7)} \\(refs/heads/main\\)$`, 'm'));
    await news.return(undefined);
  });
}

function restarting(): void {
  it('loses nothing and repeats nothing when it is killed again and again', async () => {
    const tea = await git.init('tea');
    await git.fill(tea, 25_000);
    const before: number[] = [];
    for (const batches of [1, 4]) {
      await using samovar = serve('tea');
      const url = await samovar.url();
      let seen = 0;
      for await (const event of eventsOf(url, 'repos.*/events?watch=true')) {
        if (event.type === 'repos.CommitsRecorded' && ++seen === batches) break;
      }
      await samovar.stop('SIGKILL');
      before.push((await storedHashes()).length);
    }
    expect(before[0]).toBeGreaterThan(0);
    expect(before[0]).toBeLessThan(25_000);
    await using samovar = serve('tea');
    await samovar.says(/^tea: 25,000 commits, /m);
    const hashes = await recordedHashes(await samovar.url());
    expect(hashes).toHaveLength(await countOf(tea));
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(await samovar.stop()).toMatchObject({ code: 0 });
  });

  it('stops in the middle of recording, and goes on there', async () => {
    const tea = await git.init('tea');
    await git.fill(tea, 25_000);
    {
      await using samovar = serve('tea');
      for await (const event of eventsOf(await samovar.url(), 'repos.*/events?watch=true')) {
        if (event.type === 'repos.CommitsRecorded') break;
      }
      expect(await samovar.stop('SIGINT')).toMatchObject({ code: 0, stderr: '' });
    }
    expect((await storedHashes()).length).toBeLessThan(25_000);
    await using samovar = serve('tea');
    await samovar.says(/^tea: 25,000 commits, /m);
    const hashes = await recordedHashes(await samovar.url());
    expect(new Set(hashes).size).toBe(25_000);
    expect(hashes).toHaveLength(25_000);
  });
}

/** What has nothing to do with the log. */
function faring(): void {
  it('observes the working folder unless told otherwise, and drops a leading --', async () => {
    const tea = await git.init('tea');
    await git.commit(tea);
    const args = ['serve', '--', '--port', '0'];
    await using samovar = new SamovarCommand(args, { cwd: tea, env });
    await samovar.says(/^tea: 1 commit, /m);
    await samovar.says(/observing/);
    expect(await git.run(tea, ['status', '--porcelain'])).toBe('');
    expect(await samovar.stop('SIGTERM')).toMatchObject({ code: 0 });
  });

  it('names a corrupt repository, and records the others', async () => {
    const tea = await git.init('all/tea');
    await git.commit(tea);
    const broken = await git.init('all/broken');
    await git.commit(broken);
    await git.commit(broken);
    const objects = join(broken, '.git/objects');
    for (const folder of (await readdir(objects)).filter((name) => name.length === 2)) {
      await rm(join(objects, folder), { recursive: true });
    }
    await using samovar = serve('all');
    await samovar.says(/observing/);
    expect(samovar.stdout).toMatch(/^tea: 1 commit, /m);
    const { code, stderr } = await samovar.stop();
    expect(stderr).toMatch(/^problem: .*all\/broken: .* \(repos\.\w+\)$/m);
    expect(code).toBe(0);
  });

  it('survives whoever reads its output going away', async () => {
    const tea = await git.init('tea');
    await git.commit(tea);
    await using samovar = serve('tea');
    const url = await samovar.url();
    await samovar.says(/observing/);
    samovar.closeOutput();
    const hash = await git.commit(tea);
    for await (const event of eventsOf(url, 'repos.*/events?watch=true')) if (hashesIn(event).includes(hash)) break;
    expect(await samovar.stop()).toMatchObject({ code: 0 });
  });
}
