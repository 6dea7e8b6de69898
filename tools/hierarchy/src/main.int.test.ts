import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

function run(...args: readonly string[]) {
  return spawnSync(process.execPath, [`${import.meta.dirname}/main.ts`, ...args], { encoding: 'utf8' });
}

it('exits with 1 and counts where there is a breach, with 0 where there is none', () => {
  const root = mkdtempSync(join(tmpdir(), 'hierarchy-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const folder = join(root, 'packages/tea/tea');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"name":"@samovar/tea"}');
  expect(run(root)).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/turbo\.json {2}layout: .+\n.+mend: .+\npackages: 1, files: 0, breaches: 1\n$/),
  });
  writeFileSync(join(folder, 'turbo.json'), '{"tags":["root"]}');
  expect(run(root)).toMatchObject({ status: 0, stdout: 'packages: 1, files: 0, breaches: 0\n' });
});

it('explains itself', () => {
  const { status, stdout } = run('--help');
  expect(status).toBe(0);
  expect(stdout).toContain('root-imports');
});
