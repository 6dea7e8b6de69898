import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { rules } from './hierarchy.ts';

function run(...args: readonly string[]) {
  const command = ['--conditions=@samovar/source', `${import.meta.dirname}/main.ts`, ...args];
  return spawnSync(process.execPath, command, { encoding: 'utf8' });
}

/** A workspace of one package, which has no turbo.json: a breach of the layout. */
function workspace() {
  const root = mkdtempSync(join(tmpdir(), 'hierarchy-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const folder = join(root, 'packages/tea/tea');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"name":"@samovar/tea","description":"Tea"}');
  return { root, mend: () => writeFileSync(join(folder, 'turbo.json'), '{"tags":["root"]}') };
}

it('exits with 1 and counts where there is a breach, with 0 where there is none', () => {
  const { root, mend } = workspace();
  expect(run(root)).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(
      /turbo\.json {2}layout: .+\n.+mend: .+\npackages: 1, files: 0, breaches: 1, known: 0, stale: 0\n$/,
    ),
  });
  mend();
  expect(run(root)).toMatchObject({
    status: 0,
    stdout: 'packages: 1, files: 0, breaches: 0, known: 0, stale: 0\n',
  });
});

it('excuses what the baseline knows, fails when it is stale, and lets it shrink, not grow', () => {
  const { root, mend } = workspace();
  const file = join(root, '.hierarchy-baseline.json');
  expect(run('--update-baseline', root).status).toBe(1);
  expect(existsSync(file)).toBe(false);

  const path = 'packages/tea/tea/turbo.json';
  const known = { path, rule: 'layout', message: '@samovar/tea has no tag', why: 'it is new' };
  writeFileSync(file, JSON.stringify([known]));
  expect(run(root)).toMatchObject({ status: 0, stdout: expect.stringContaining('breaches: 0, known: 1, stale: 0') });

  mend();
  expect(run(root)).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/stale: nothing breaks layout in .+tea/),
  });
  expect(run('--update-baseline', root).status).toBe(0);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([]);
});

it('writes the table of domains, and fails while it is stale', () => {
  const { root, mend } = workspace();
  mend();
  const file = join(root, 'README.md');
  writeFileSync(file, 'A\n<!-- domains -->\n<!-- /domains -->\nB');
  expect(run(root)).toMatchObject({ status: 1, stdout: expect.stringContaining('README.md:3  readme-domains') });
  expect(run('--readme', root).status).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain('| tea | [tea](packages/tea/tea) | Tea |\n<!-- /domains -->\nB');
  expect(run(root).status).toBe(0);
});

it('prints the graph', () => {
  expect(run('--graph', workspace().root)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^flowchart LR\n/),
  });
});

it('explains itself', () => {
  const { status, stdout } = run('--help');
  expect(status).toBe(0);
  for (const { name } of rules) expect(stdout).toContain(name);
  for (const option of ['--graph', '--readme', '--update-baseline']) expect(stdout).toContain(option);
});

it('tells in a line what keeps it from working', () => {
  const { root } = workspace();
  writeFileSync(join(root, '.hierarchy-baseline.json'), '{}');
  expect(run(root)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^hierarchy: .+baseline\.json is no list.+\n$/),
  });
});
