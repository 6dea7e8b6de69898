import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AddRepoCommand, RemoveRepoCommand } from '@samovar/registry';
import { GetRepoQuery, type Repo, ScanRepoCommand, Uuid } from '@samovar/repos';
import { GitFolder } from '@samovar/repostest/git';
import { CancelWorkflowCommand, type Work } from '@samovar/workflows';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client, eventually } from './client.ts';
import { SamovarCommand } from './command.ts';
import { eventsOf, hashesIn } from './events.ts';
import { describeOnLogs, type TestLog } from './logs.ts';

// REPEATS=49 kills each workflow 50 times, at another moment each time.
const rounds = Number(process.env.REPEATS ?? 2) + 1;
// Whoever takes the place of a server that is killed waits for its leases.
const mortal = { SAMOVAR_LEASE_MS: '3000' };

let git: GitFolder;
let data: string;
let log: TestLog;
let repos: readonly Repo[];

describeOnLogs((_name, freshLog) => {
  beforeEach(async () => {
    git = await GitFolder.make();
    data = join(git.path, 'data');
    log = freshLog();
  });
  afterEach(() => git[Symbol.asyncDispose]());

  describe('activities', working);
  describe('workflows of a server that is killed', dying);
});

/** A server that observes a repository, to which others are added. Nothing is left to the looks at fixed times. */
async function serve(settings: NodeJS.ProcessEnv = {}): Promise<Client> {
  const args = ['serve', 'all/tea', '--data', data, '--port', '0'];
  const env = { ...git.env, ...log.env, SAMOVAR_CRON_MS: '3600000', ...settings };
  const client = new Client(new SamovarCommand(args, { cwd: git.path, env }));
  await client.samovar.says(/observing/);
  return client;
}

async function prepare(client: Client, names = ['tea', 'milk', 'sugar']): Promise<void> {
  const added: Repo[] = [];
  for (const name of names) {
    added.push(await client.call(AddRepoCommand, { path: join(git.path, 'all', name) }));
  }
  repos = added;
}

/** The commits of each repository. */
const sizes = { tea: 300, milk: 20, sugar: 5 };

async function makeRepositories(): Promise<void> {
  for (const [name, commits] of Object.entries(sizes)) {
    const path = await git.init(join('all', name));
    await git.fill(path, commits);
    await git.run(path, ['tag', '-a', '-m', 'First', 'v1']);
    await git.run(path, ['branch', 'old', 'main~2']);
  }
}

const idOf = (name: string): Uuid => repos.find((repo) => repo.name === name)?.repoId as Uuid;
const repoOf = (client: Client, name: string) => client.call(GetRepoQuery, { repoId: idOf(name) });
const pathOf = (name: string) => join(git.path, 'all', name);
const newId = () => Uuid.parse(crypto.randomUUID());
const ping: Work = { type: 'PingRegistry', timeoutMs: 60_000 };
const archiveOf = (name: string): Work => ({ type: 'ArchiveRepo', repoId: idOf(name) });

/** A clone of the bundle has all that the repository has. */
async function expectRestorable(bundle: string, name: string): Promise<void> {
  const clone = join(git.path, `clone-${newId()}`);
  await git.run(git.path, ['clone', '-q', '--mirror', bundle, clone]);
  const refs = (path: string) => git.run(path, ['for-each-ref']);
  expect(await refs(clone)).toBe(await refs(pathOf(name)));
  const all = (path: string) => git.run(path, ['rev-list', '--all']);
  expect(await all(clone)).toBe(await all(pathOf(name)));
}

function working(): void {
  beforeEach(makeRepositories);

  it('observe what is added, answer pings, archive, and are told of', async () => {
    await using client = await serve();
    await prepare(client);
    for (const [name, commits] of Object.entries(sizes)) {
      await vi.waitFor(async () => expect(await repoOf(client, name)).toMatchObject({ commits }), eventually);
    }

    const pinged = newId();
    await client.begin(pinged, ping);
    const { outcome } = await client.finished(pinged);
    expect(outcome).toMatchObject({ kind: 'succeeded', details: { missing: [] } });
    expect(outcome?.kind === 'succeeded' && outcome.details.answers).toEqual(
      await Promise.all(
        repos.map(async ({ repoId, name }) => {
          const { head, commits } = await repoOf(client, name);
          return { repoId, head, commits };
        }),
      ),
    );

    const archived = newId();
    await client.begin(archived, archiveOf('milk'));
    expect(await client.finished(archived)).toMatchObject({ outcome: { kind: 'succeeded' } });
    const { archive } = await repoOf(client, 'milk');
    await expectRestorable(archive?.path ?? '', 'milk');
    await expect(client.call(ScanRepoCommand, { repoId: idOf('milk') })).rejects.toThrow('repos.archived');
    await expect(client.begin(newId(), archiveOf('milk'))).rejects.toThrow('repos.archived');

    await vi.waitFor(async () => {
      const shown = await client.activities();
      const lines = shown.map(({ engine, stream, name, state }) => `${engine} ${stream} ${name} ${state}`);
      const ofRepo = (name: string, state: string) => [
        `lazy repos.${idOf(name)} ObserveRepo ${state}`,
        `cron repos.${idOf(name)} RescanRepo sleeping`,
      ];
      expect(lines.toSorted()).toEqual(
        [
          'lazy workflowindex.main MendWorkflows sleeping',
          'cron registry.main DeleteFinished sleeping',
          ...['tea', 'sugar'].flatMap((name) => ofRepo(name, 'sleeping')),
          ...ofRepo('milk', 'completed'),
        ].toSorted(),
      );
      // Those that run at fixed times may lag until the next one.
      for (const { engine, lag } of shown) if (engine !== 'cron') expect(lag).toBe(0);
    }, eventually);
    expect(await client.samovar.stop('SIGINT')).toMatchObject({ code: 0, stderr: '' });
  });

  it('record a commit when its files tell of it, until its repository is removed', async () => {
    await using client = await serve();
    await prepare(client);
    const activitiesOf = async (name: string) =>
      (await client.activities()).filter(({ stream }) => stream === `repos.${idOf(name)}`);
    const asleep = { state: 'sleeping' };
    await vi.waitFor(async () => expect(await activitiesOf('sugar')).toMatchObject([asleep, asleep]), eventually);
    const news = eventsOf(await client.samovar.url(), 'repos.*/events?watch=true');
    const hash = await git.commit(pathOf('sugar'));
    for await (const event of news) if (hashesIn(event).includes(hash)) break;

    await client.call(RemoveRepoCommand, { registry: 'main', repoId: idOf('sugar') });
    await vi.waitFor(async () => expect(await activitiesOf('sugar')).toEqual([]), eventually);
    expect(await client.samovar.stop('SIGINT')).toMatchObject({ code: 0 });
  });

  it('go on after a restart with what was added before, and with nothing else to do', async () => {
    {
      await using client = await serve(mortal);
      await prepare(client);
      await vi.waitFor(async () => expect(await repoOf(client, 'milk')).toMatchObject({ commits: 20 }), eventually);
      await client.samovar.stop('SIGKILL');
    }
    await using client = await serve(mortal);
    const hash = await git.commit(pathOf('milk'));
    await vi.waitFor(async () => expect(await repoOf(client, 'milk')).toMatchObject({ head: { hash } }), eventually);
    await client.samovar.says(/^milk: 1 new commit, head at/m);
    expect(await client.samovar.stop('SIGINT')).toMatchObject({ code: 0 });
  });
}

function dying(): void {
  beforeEach(makeRepositories);

  /** Begins the work, kills the server up to `withinMs` milliseconds later, and starts another one. */
  async function killAmid(workflowId: Uuid, workOf: () => Work, withinMs: number, names?: string[]): Promise<Client> {
    {
      await using client = await serve(mortal);
      await prepare(client, names);
      const begun = client.begin(workflowId, workOf());
      await Promise.all([
        begun.catch(() => {}),
        sleep(Math.random() * withinMs).then(() => client.samovar.stop('SIGKILL')),
      ]);
    }
    const client = await serve(mortal);
    // Whoever does not know whether it has begun asks again.
    await client.begin(workflowId, workOf()).catch((error: Error) => expect(error.message).toContain('repos.archived'));
    return client;
  }

  it('have the same answers in the end', { timeout: 60_000 * rounds }, async () => {
    for (let round = 0; round < rounds; round++) {
      const workflowId = newId();
      await using client = await killAmid(workflowId, () => ping, 150);
      const { outcome, progress } = await client.finished(workflowId);
      expect(outcome).toMatchObject({
        kind: 'succeeded',
        details: { answers: repos.map(({ repoId }) => ({ repoId })), missing: [] },
      });
      expect(new Set(progress.map(({ step }) => step)).size).toBe(progress.length);
      expect(await client.samovar.stop('SIGINT')).toMatchObject({ code: 0 });
    }
  });

  it('have one bundle, which restores all, in the end', { timeout: 60_000 * rounds }, async () => {
    for (let round = 0; round < rounds; round++) {
      const name = `cup${round}`;
      await git.fill(await git.init(join('all', name)), 2_000);
      const workflowId = newId();
      await using client = await killAmid(workflowId, () => archiveOf(name), 250, [name]);
      const { outcome } = await client.finished(workflowId);
      const { archive } = await repoOf(client, name);
      expect(outcome).toEqual({ kind: 'succeeded', details: archive });
      await expectRestorable(archive?.path ?? '', name);
      expect(await client.samovar.stop('SIGINT')).toMatchObject({ code: 0 });
    }
  });

  it('are archived or canceled, and nothing in between', { timeout: 60_000 * rounds }, async () => {
    for (let round = 0; round < rounds; round++) {
      const name = `pot${round}`;
      await git.fill(await git.init(join('all', name)), 500);
      const workflowId = newId();
      await using client = await killAmid(workflowId, () => archiveOf(name), 100, [name]);
      await client.call(CancelWorkflowCommand, { registry: 'main', workflowId });
      const { outcome } = await client.finished(workflowId);
      const { archive } = await repoOf(client, name);
      expect(outcome).toEqual(archive === null ? { kind: 'canceled' } : { kind: 'succeeded', details: archive });
      await client.samovar.stop('SIGINT');
    }
  });
}
