import type { Head, Repo, Uuid } from '@samovar/repos';
import { expect, it } from 'vitest';
import { newsOf } from './report.ts';

const repoId = '019a0000-0000-7000-8000-000000000001' as Uuid;
const main: Head = { ref: 'refs/heads/main', hash: `abc1234${'0'.repeat(33)}` };
const repo = (commits: number, head: Head | null): Repo => ({
  repoId,
  registry: 'main',
  name: 'tea',
  path: '/tea',
  head,
  commits,
  archive: null,
});

it.each([
  [
    repo(4, main),
    repo(5, { ...main, hash: `def5678${'0'.repeat(33)}` }),
    'tea: 1 new commit, head at def5678 (refs/heads/main)',
  ],
  [repo(4, main), repo(1_204, main), 'tea: 1,200 new commits, head at abc1234 (refs/heads/main)'],
  [repo(4, main), repo(4, { ref: null, hash: main.hash }), 'tea: head at abc1234 (detached)'],
  [repo(4, main), repo(4, { ref: 'refs/heads/new', hash: null }), 'tea: no commit yet on refs/heads/new'],
  [undefined, repo(2, main), 'tea: 2 new commits, head at abc1234 (refs/heads/main)'],
  [repo(4, main), repo(4, { ...main }), undefined],
  [undefined, repo(0, null), undefined],
])('tells what is new', (before, now, line) => {
  expect(newsOf(before, now)).toBe(line);
});
