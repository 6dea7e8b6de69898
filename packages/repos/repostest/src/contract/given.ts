import { background } from '@samovar/context';
import { type Bundle, type Repo, Uuid } from '@samovar/repos';
import type { ReposUnderTest } from '../contract.ts';

export const nobody = Uuid.parse('00000000-0000-4000-8000-000000000000');
export const ann = { name: 'Ann', email: 'ann@example.org' };
export const committedAt = '2001-02-03T04:05:06Z';
/** What some bundle may be. */
export const archive: Bundle = { path: '/archive/main/tea.bundle', bytes: 7, sha256: 'a'.repeat(64) };

export async function register(
  { repos, createRepository }: ReposUnderTest,
  name = 'tea',
  registry = 'main',
): Promise<Repo> {
  return repos.initRepo(background, { registry, name, path: await createRepository() });
}

/** Commits `subjects`, the first one first; gives the hashes in that order. */
export async function commitAll(it: ReposUnderTest, path: string, subjects: readonly string[]): Promise<string[]> {
  const hashes: string[] = [];
  for (const subject of subjects) hashes.push(await it.commit(path, { author: ann, committedAt, subject }));
  return hashes;
}
