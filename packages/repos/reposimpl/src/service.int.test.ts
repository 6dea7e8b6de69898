import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { connect } from '@samovar/edaimpl';
import { CommitsRecorded, HeadMoved, RepoInitialized, repoStream, ScanProgressed } from '@samovar/repos';
import { reposContract } from '@samovar/repostest/contract';
import { GitFolder } from '@samovar/repostest/git';
import { describe, expect, it } from 'vitest';
import { Git } from './git.ts';
import { ReposService } from './service.ts';
import { edaRepoLog } from './store.ts';

async function start() {
  const folder = await GitFolder.make();
  const conn = await connect('memory:');
  const bus = new FakeBus();
  const progress: ScanProgressed[] = [];
  bus.addEventListener(ScanProgressed, (_, data) => void progress.push(data));
  let created = 0;
  return {
    folder,
    conn,
    repos: new ReposService(bus, edaRepoLog(conn), new Git(folder.env)),
    progress,
    createRepository: () => folder.init(`repository ${++created}`),
    commit: (path: string, commit: Parameters<GitFolder['commit']>[1]) => folder.commit(path, commit),
    switchTo: async (path: string, branch: string) => {
      await folder
        .run(path, ['checkout', '-q', branch])
        .catch(() => folder.run(path, ['checkout', '-q', '-b', branch]));
    },
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
    ]);
    const definitions = [RepoInitialized, CommitsRecorded, HeadMoved, HeadMoved];
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
    const { repos, conn, folder } = current;
    const path = await folder.init('tea');
    await folder.commit(path);
    const { repoId } = await repos.initRepo(background, { registry: 'main', name: 'tea', path });
    await repos.scanRepo(background, { repoId });
    await folder.commit(path);
    const later = new ReposService(new FakeBus(), edaRepoLog(conn), new Git(folder.env));
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
});
