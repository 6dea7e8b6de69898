import { background, CanceledError, withCancel } from '@samovar/context';
import { Bundle, NotARepositoryError, RepoArchivedError, Uuid } from '@samovar/repos';
import { expect, it } from 'vitest';
import type { UnderTest } from '../contract.ts';
import { archive, commitAll, register } from './given.ts';

const workflowId = Uuid.parse('11111111-1111-4111-8111-111111111111');
const otherWorkflowId = Uuid.parse('22222222-2222-4222-8222-222222222222');

export function pingContract(underTest: UnderTest): void {
  it('asks once in the name of each workflow', async () => {
    const { repos, pings } = underTest();
    const { repoId } = await register(underTest(), 'tea', 'drinks');
    const other = await register(underTest(), 'coffee', 'drinks');
    await repos.pingRepo(background, { repoId, workflowId });
    await Promise.all([1, 2, 3].map(() => repos.pingRepo(background, { repoId, workflowId })));
    await repos.pingRepo(background, { repoId, workflowId: otherWorkflowId });
    expect(await pings(repoId)).toEqual([
      { repoId, registry: 'drinks', workflowId },
      { repoId, registry: 'drinks', workflowId: otherWorkflowId },
    ]);
    expect(await pings(other.repoId)).toEqual([]);
  });

  it('asks none that is archived', async () => {
    const { repos, pings } = underTest();
    const { repoId } = await register(underTest());
    await repos.pingRepo(background, { repoId, workflowId });
    await repos.markRepoArchived(background, { repoId, archive });
    for (const id of [workflowId, otherWorkflowId]) {
      await expect(repos.pingRepo(background, { repoId, workflowId: id })).rejects.toThrow(RepoArchivedError);
    }
    expect(await pings(repoId)).toHaveLength(1);
  });
}

export function archiveContract(underTest: UnderTest): void {
  it('makes one bundle for each workflow', async () => {
    const { repos, hasBundle } = underTest();
    const { repoId, path } = await register(underTest());
    await commitAll(underTest(), path, ['one']);
    const bundle = await repos.bundleRepo(background, { repoId, workflowId });
    expect(Bundle.parse(bundle)).toEqual(bundle);
    expect(bundle.bytes).toBeGreaterThan(0);
    await commitAll(underTest(), path, ['two']);
    expect(await repos.bundleRepo(background, { repoId, workflowId })).toEqual(bundle);
    const other = await repos.bundleRepo(background, { repoId, workflowId: otherWorkflowId });
    expect(other.path).not.toBe(bundle.path);
    expect(other.sha256).not.toBe(bundle.sha256);
    expect([await hasBundle(bundle.path), await hasBundle(other.path)]).toEqual([true, true]);
    expect(await repos.getRepo(background, { repoId })).toMatchObject({ archive: null });
  });

  it('makes it once when asked at once', async () => {
    const { repos } = underTest();
    const { repoId, path } = await register(underTest());
    await commitAll(underTest(), path, ['one']);
    const made = await Promise.all([1, 2, 3].map(() => repos.bundleRepo(background, { repoId, workflowId })));
    expect(made).toEqual(made.map(() => made[0]));
  });

  it('gives the bundle that there is when the repository is gone', async () => {
    const { repos, remove } = underTest();
    const { repoId, path } = await register(underTest());
    await commitAll(underTest(), path, ['one']);
    const bundle = await repos.bundleRepo(background, { repoId, workflowId });
    await remove(path);
    expect(await repos.bundleRepo(background, { repoId, workflowId })).toEqual(bundle);
    const another = repos.bundleRepo(background, { repoId, workflowId: otherWorkflowId });
    await expect(another).rejects.toThrow(NotARepositoryError);
  });

  it('discards the bundle of one workflow, and what is not there', async () => {
    const { repos, hasBundle } = underTest();
    const { repoId, path } = await register(underTest());
    await repos.discardBundle(background, { repoId, workflowId });
    await commitAll(underTest(), path, ['one']);
    const bundle = await repos.bundleRepo(background, { repoId, workflowId });
    const other = await repos.bundleRepo(background, { repoId, workflowId: otherWorkflowId });
    for (let i = 0; i < 2; i++) await repos.discardBundle(background, { repoId, workflowId });
    expect([await hasBundle(bundle.path), await hasBundle(other.path)]).toEqual([false, true]);
    await repos.bundleRepo(background, { repoId, workflowId });
    expect(await hasBundle(bundle.path)).toBe(true);
  });

  it('refuses a repository without commits', async () => {
    const { repos } = underTest();
    const { repoId } = await register(underTest());
    const attempt = repos.bundleRepo(background, { repoId, workflowId });
    await expect(attempt).rejects.toThrow(NotARepositoryError);
    await expect(attempt).rejects.toThrow(/no commits/);
  });

  it('does not begin when its context is done', async () => {
    const { repos } = underTest();
    const { repoId, path } = await register(underTest());
    await commitAll(underTest(), path, ['one']);
    using scope = withCancel(background);
    scope.cancel();
    await expect(repos.bundleRepo(scope.ctx, { repoId, workflowId })).rejects.toThrow(CanceledError);
  });
}

export function archivedContract(underTest: UnderTest): void {
  it('shows where the repository is archived, however often it is told', async () => {
    const { repos } = underTest();
    const { repoId } = await register(underTest());
    await repos.markRepoArchived(background, { repoId, archive });
    await Promise.all([1, 2, 3].map(() => repos.markRepoArchived(background, { repoId, archive })));
    expect(await repos.getRepo(background, { repoId })).toMatchObject({ archive });
    expect(await repos.listRepos(background, {})).toMatchObject([{ repoId, archive }]);
  });

  it('refuses another bundle', async () => {
    const { repos } = underTest();
    const { repoId } = await register(underTest());
    await repos.markRepoArchived(background, { repoId, archive });
    for (const other of [{ path: '/elsewhere' }, { bytes: 8 }, { sha256: 'b'.repeat(64) }]) {
      const attempt = repos.markRepoArchived(background, { repoId, archive: { ...archive, ...other } });
      await expect(attempt).rejects.toThrow(RepoArchivedError);
      await expect(attempt).rejects.toThrow(archive.path);
    }
    expect(await repos.getRepo(background, { repoId })).toMatchObject({ archive });
  });

  it('ends recording, whatever is committed', async () => {
    const { repos, remove } = underTest();
    const { repoId, path } = await register(underTest());
    await commitAll(underTest(), path, ['one']);
    await repos.scanRepo(background, { repoId });
    await repos.markRepoArchived(background, { repoId, archive });
    const archived = await repos.getRepo(background, { repoId });
    await commitAll(underTest(), path, ['two']);
    await expect(repos.scanRepo(background, { repoId })).rejects.toThrow(RepoArchivedError);
    await remove(path);
    await expect(repos.scanRepo(background, { repoId })).rejects.toThrow(RepoArchivedError);
    expect(await repos.getRepo(background, { repoId })).toEqual(archived);
    expect(await repos.listCommits(background, { repoId, limit: 10 })).toMatchObject({ commits: [{ subject: 'one' }] });
  });
}
