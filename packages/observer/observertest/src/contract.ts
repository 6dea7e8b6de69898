import { background, CanceledError, withCancel } from '@samovar/context';
import type { DomainError } from '@samovar/errors';
import { InvalidMessageError } from '@samovar/message';
import { NoRepositoryError, NotAFolderError, type Observed, type Observer } from '@samovar/observer';
import { GitMissingError, RepoUnreadableError } from '@samovar/repos';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** An Observer that observes nothing yet, and the means to make folders for it. */
export interface ObserverUnderTest extends AsyncDisposable {
  readonly observer: Observer;
  /** A folder that is empty, and in no repository. */
  readonly root: string;
  /** Makes a folder, and those it is in. */
  addFolder(path: string): Promise<void>;
  /** Makes a repository with so many commits, and the folders it is in. */
  addRepository(path: string, commits: number): Promise<void>;
  /** Registering and recording the repository at `path` fails from now on; undefined: no longer. */
  failWith(path: string, fault: DomainError | undefined): Promise<void>;
}

type UnderTest = () => ObserverUnderTest;

/** The promises of {@link Observer}, as a vitest suite. `start` makes what each test works on. */
export function observerContract(name: string, start: () => Promise<ObserverUnderTest>): void {
  describe(`${name} as an Observer`, () => {
    let current: ObserverUnderTest;
    beforeEach(async () => {
      current = await start();
    });
    afterEach(() => current[Symbol.asyncDispose]());
    finding(() => current);
    problems(() => current);
    refusals(() => current);
  });
}

function observe({ observer, root }: ObserverUnderTest, ...folders: readonly string[]): Promise<Observed> {
  const paths = folders.map((folder) => (folder === '' ? root : `${root}/${folder}`));
  return observer.observeFolders(background, { folders: paths, registry: 'main' });
}

const summary = ({ repos }: Observed) => repos.map(({ name, commits }) => `${name}: ${commits}`);

function finding(underTest: UnderTest): void {
  it('records the repositories in a folder and below, also one in another', async () => {
    const { root, observer, addRepository } = underTest();
    await addRepository(`${root}/tea/green`, 2);
    await addRepository(`${root}/tea`, 1);
    await addRepository(`${root}/coffee`, 0);
    const observed = await observe(underTest(), '');
    expect(summary(observed)).toEqual(['coffee: 0', 'tea: 1', 'tea/green: 2']);
    expect(observed.repos.map(({ path }) => path)).toEqual([`${root}/coffee`, `${root}/tea`, `${root}/tea/green`]);
    expect(observed.repos.every(({ registry }) => registry === 'main')).toBe(true);
    expect(observed.problems).toEqual([]);
    expect(await observer.listObserved(background, {})).toEqual(observed);
  });

  it('names a repository by its folder when that was given', async () => {
    const { root, addRepository } = underTest();
    await addRepository(`${root}/tea`, 1);
    expect(summary(await observe(underTest(), 'tea'))).toEqual(['tea: 1']);
  });

  it('takes a folder in a repository for that', async () => {
    const { root, addRepository, addFolder } = underTest();
    await addRepository(`${root}/tea`, 1);
    await addFolder(`${root}/tea/src/deep`);
    expect(summary(await observe(underTest(), 'tea/src/deep'))).toEqual(['tea: 1']);
  });

  it('observes a repository once, however often it is asked to', async () => {
    const { root, observer, addRepository } = underTest();
    await addRepository(`${root}/tea`, 1);
    const first = await observe(underTest(), '', 'tea', '');
    expect(summary(first)).toEqual(['tea: 1']);
    expect(await observe(underTest(), 'tea')).toEqual(first);
    expect(await observer.listObserved(background, {})).toEqual(first);
  });

  it('observes it once for each registry', async () => {
    const { root, observer, addRepository } = underTest();
    await addRepository(`${root}/tea`, 1);
    await observe(underTest(), '');
    const { repos } = await observer.observeFolders(background, { folders: [root], registry: 'other' });
    expect(repos).toMatchObject([{ registry: 'other', commits: 1 }]);
    expect((await observer.listObserved(background, {})).repos).toHaveLength(2);
  });
}

function problems(underTest: UnderTest): void {
  it('names what fails, and records the others', async () => {
    const { root, observer, addRepository, failWith } = underTest();
    for (const name of ['a', 'b', 'c']) await addRepository(`${root}/${name}`, 1);
    const fault = new RepoUnreadableError(`${root}/b`, 'an object is missing');
    await failWith(`${root}/b`, fault);
    const observed = await observe(underTest(), '');
    expect(summary(observed)).toEqual(['a: 1', 'c: 1']);
    expect(observed.problems).toEqual([{ path: `${root}/b`, error: fault.id, message: fault.publicMessage }]);
    expect(await observer.listObserved(background, {})).toEqual(observed);
  });

  it('forgets a problem when it is gone', async () => {
    const { root, observer, addRepository, failWith } = underTest();
    await addRepository(`${root}/tea`, 1);
    await failWith(`${root}/tea`, new RepoUnreadableError(`${root}/tea`, 'an object is missing'));
    await observe(underTest(), '');
    await failWith(`${root}/tea`, undefined);
    const observed = await observe(underTest(), '');
    expect(observed).toMatchObject({ repos: [{ name: 'tea', commits: 1 }], problems: [] });
    expect(await observer.listObserved(background, {})).toEqual(observed);
  });
}

function refusals(underTest: UnderTest): void {
  it('registers nothing when one of the folders is none', async () => {
    const { root, observer, addRepository } = underTest();
    await addRepository(`${root}/tea`, 1);
    const attempt = observe(underTest(), 'tea', 'missing');
    await expect(attempt).rejects.toThrow(NotAFolderError);
    await expect(attempt).rejects.toThrow(`${root}/missing is not a folder that can be read`);
    await expect(observer.observeFolders(background, { folders: ['relative'], registry: 'main' })).rejects.toThrow(
      NotAFolderError,
    );
    expect(await observer.listObserved(background, {})).toEqual({ repos: [], problems: [] });
  });

  it('registers nothing when one of the folders has no repository', async () => {
    const { root, observer, addRepository, addFolder } = underTest();
    await addRepository(`${root}/tea`, 1);
    await addFolder(`${root}/empty/below`);
    await expect(observe(underTest(), 'tea', 'empty')).rejects.toThrow(NoRepositoryError);
    expect(await observer.listObserved(background, {})).toEqual({ repos: [], problems: [] });
  });

  it('observes nothing without git', async () => {
    const { root, observer, addRepository, failWith } = underTest();
    for (const name of ['a', 'b', 'c']) {
      await addRepository(`${root}/${name}`, 1);
      await failWith(`${root}/${name}`, new GitMissingError());
    }
    await expect(observe(underTest(), '')).rejects.toThrow(GitMissingError);
    expect(await observer.listObserved(background, {})).toEqual({ repos: [], problems: [] });
  });

  it('does not begin when its context is done', async () => {
    const { root, observer, addRepository } = underTest();
    await addRepository(`${root}/tea`, 1);
    using scope = withCancel(background);
    scope.cancel();
    const attempt = observer.observeFolders(scope.ctx, { folders: [root], registry: 'main' });
    await expect(attempt).rejects.toThrow(CanceledError);
  });

  it.each(['observeFolders', 'listObserved'] as const)('%s refuses what its message does not allow', async (method) => {
    const { observer } = underTest();
    const call = (args: unknown) => observer[method](background, args as never);
    await expect(call({ folders: [], more: true })).rejects.toThrow(InvalidMessageError);
    await expect(call(undefined)).rejects.toThrow(InvalidMessageError);
  });
}
