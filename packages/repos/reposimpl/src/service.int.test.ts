import { access, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { dataOf } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import {
  CommitsRecorded,
  HeadMoved,
  RepoArchived,
  RepoArchivedError,
  RepoInitialized,
  RepoPinged,
  repoStream,
  ScanProgressed,
  Uuid,
} from '@samovar/repos';
import { reposContract } from '@samovar/repostest/contract';
import { GitFolder } from '@samovar/repostest/git';
import { describe, expect, it, vi } from 'vitest';
import { Archive } from './archive.ts';
import { Git } from './git.ts';
import { ReposService } from './service.ts';
import { edaRepoLog } from './store.ts';

const workflowId = Uuid.parse('11111111-1111-4111-8111-111111111111');
const archive = { path: '/archive/tea.bundle', bytes: 7, sha256: 'a'.repeat(64) };

async function start() {
  const folder = await GitFolder.make();
  const conn = await connect('memory:');
  const git = new Git(folder.env);
  const store = new Archive(join(folder.path, 'archive'), git);
  const bus = new FakeBus();
  const progress: ScanProgressed[] = [];
  bus.addEventListener(ScanProgressed, (_, data) => void progress.push(data));
  let created = 0;
  return {
    folder,
    conn,
    bus,
    restarted: () => new ReposService(new FakeBus(), edaRepoLog(conn), git, store),
    repos: new ReposService(bus, edaRepoLog(conn), git, store),
    progress,
    createRepository: () => folder.init(`repository ${++created}`),
    commit: (path: string, commit: Parameters<GitFolder['commit']>[1]) => folder.commit(path, commit),
    switchTo: async (path: string, branch: string) => {
      await folder
        .run(path, ['checkout', '-q', branch])
        .catch(() => folder.run(path, ['checkout', '-q', '-b', branch]));
    },
    pings: async (repoId: Uuid) => {
      const pings: RepoPinged[] = [];
      for await (const event of conn.read(background, repoStream(repoId))) {
        if (event.type === RepoPinged.name) pings.push(dataOf(RepoPinged, event));
      }
      return pings;
    },
    hasBundle: (path: string) =>
      access(path).then(
        () => true,
        () => false,
      ),
    remove: (path: string) => rename(path, `${path} moved`),
    [Symbol.asyncDispose]: async () => {
      await conn.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

reposContract('ReposService', start);

describe('ReposService', () => {
  it('keeps all of a repository on one stream, as its root defines it', async () => {
    await using current = await start();
    const { repos, conn, folder } = current;
    const path = await folder.init('tea');
    const one = await folder.commit(path, { subject: 'one' });
    const { repoId } = await repos.initRepo(background, { registry: 'main', name: 'tea', path });
    await repos.scanRepo(background, { repoId });
    await folder.run(path, ['checkout', '-q', '--detach']);
    await repos.scanRepo(background, { repoId });
    await repos.pingRepo(background, { repoId, workflowId });
    await repos.markRepoArchived(background, { repoId, archive });

    const events = [];
    for await (const { type, schema, aggregate, data } of conn.read(background, repoStream(repoId))) {
      expect({ schema, aggregate }).toEqual({ schema: '1', aggregate: repoId });
      events.push([type, data.json()]);
    }
    const main = { ref: 'refs/heads/main', hash: one };
    const commit = {
      hash: one,
      parents: [],
      author: { name: 'Ann', email: 'ann@example.org' },
      committedAt: '2001-02-03T04:05:06Z',
      subject: 'one',
    };
    expect(events).toEqual([
      ['repos.RepoInitialized', { repoId, registry: 'main', name: 'tea', path }],
      ['repos.CommitsRecorded', { repoId, commits: [commit] }],
      ['repos.HeadMoved', { repoId, from: null, to: main }],
      ['repos.HeadMoved', { repoId, from: main, to: { ref: null, hash: one } }],
      ['repos.RepoPinged', { repoId, registry: 'main', workflowId }],
      ['repos.RepoArchived', { repoId, archive }],
    ]);
    const definitions = [RepoInitialized, CommitsRecorded, HeadMoved, HeadMoved, RepoPinged, RepoArchived];
    for (const [i, definition] of definitions.entries())
      expect(definition.parse(events[i]?.[1])).toEqual(events[i]?.[1]);
  });

  it('knows a repository by what path it is at, not by how that was written', async () => {
    await using current = await start();
    const { repos, folder } = current;
    const path = await folder.init('tea');
    const init = (given: string) => repos.initRepo(background, { registry: 'main', name: 'tea', path: given });
    const first = await init(path);
    expect(first.path).toBe(path);
    expect(await init(`${path}/`)).toEqual(first);
    expect(await init(join(path, '..', 'tea', '.git'))).toEqual(first);
  });

  it('goes on where another process stopped, with nothing in memory', async () => {
    await using current = await start();
    const { repos, folder } = current;
    const path = await folder.init('tea');
    await folder.commit(path);
    const { repoId } = await repos.initRepo(background, { registry: 'main', name: 'tea', path });
    await repos.scanRepo(background, { repoId });
    await folder.commit(path);
    const later = current.restarted();
    expect(await later.scanRepo(background, { repoId })).toEqual({ recorded: 1 });
    expect(await repos.getRepo(background, { repoId })).toEqual(await later.getRepo(background, { repoId }));
    expect(await repos.listRepos(background, {})).toMatchObject([{ commits: 2 }]);
  });

  it('does not take the repository around for one that is gone', async () => {
    await using current = await start();
    const { repos, folder } = current;
    const outer = await folder.init('outer');
    await folder.commit(outer);
    const path = await folder.init('outer/inner');
    const { repoId } = await repos.initRepo(background, { registry: 'main', name: 'inner', path });
    await rm(join(path, '.git'), { recursive: true });
    await writeFile(join(path, 'file'), '');
    await expect(repos.scanRepo(background, { repoId })).rejects.toThrow(/inside the repository .*outer/);
    expect(await repos.getRepo(background, { repoId })).toMatchObject({ commits: 0, head: null });
  });

  it('skips events that a newer server has written', async () => {
    await using current = await start();
    const { repos, conn, folder } = current;
    const path = await folder.init('tea');
    await folder.commit(path);
    const { repoId } = await repos.initRepo(background, { registry: 'main', name: 'tea', path });
    await conn.publish(background, repoStream(repoId), { type: 'repos.RepoRenamed' });
    expect(await repos.scanRepo(background, { repoId })).toEqual({ recorded: 1 });
  });

  it.each(['the same process', 'another process'])(
    'ends a scan under way when %s marks it as archived',
    async (who) => {
      await using current = await start();
      const { repos, conn, folder, bus } = current;
      const marking = who === 'the same process' ? repos : current.restarted();
      const path = await folder.init('tea');
      await folder.fill(path, 3000);
      const { repoId } = await repos.initRepo(background, { registry: 'main', name: 'tea', path });
      bus.addEventListener(ScanProgressed, (ctx) => marking.markRepoArchived(ctx, { repoId, archive }));
      await expect(repos.scanRepo(background, { repoId })).rejects.toThrow(RepoArchivedError);
      const types: string[] = [];
      for await (const { type } of conn.read(background, repoStream(repoId))) types.push(type);
      expect(types).toEqual([RepoInitialized.name, CommitsRecorded.name, RepoArchived.name]);
    },
  );

  it('does not disturb a bundle in the making when it is asked for it again', async () => {
    await using current = await start();
    const { repos, folder } = current;
    const path = await folder.init('tea');
    await folder.fill(path, 20_000);
    const { repoId } = await repos.initRepo(background, { registry: 'main', name: 'tea', path });
    const making = repos.bundleRepo(background, { repoId, workflowId });
    const archived = () => readdir(join(folder.path, 'archive', 'main')).catch(() => []);
    await vi.waitUntil(async () => (await archived()).length > 0, { timeout: 20_000, interval: 1 });
    const again = repos.bundleRepo(background, { repoId, workflowId });
    expect(await again).toEqual(await making);
    await Promise.all([
      repos.bundleRepo(background, { repoId, workflowId }),
      repos.discardBundle(background, { repoId, workflowId }),
    ]);
    expect(await archived()).toEqual([]);
  });

  it('is pinged while it is scanned, and the scan goes on', async () => {
    await using current = await start();
    const { repos, folder, bus } = current;
    const path = await folder.init('tea');
    await folder.fill(path, 3000);
    const { repoId } = await repos.initRepo(background, { registry: 'main', name: 'tea', path });
    bus.addEventListener(ScanProgressed, (ctx) => repos.pingRepo(ctx, { repoId, workflowId }));
    expect(await repos.scanRepo(background, { repoId })).toEqual({ recorded: 3000 });
    expect(await repos.getRepo(background, { repoId })).toMatchObject({ commits: 3000 });
    expect(await current.pings(repoId)).toHaveLength(1);
  });
});
