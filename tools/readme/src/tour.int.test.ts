import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocks, readme, writeTour } from './tour.ts';

const shown = blocks(readme());
// Inside this package, so that the files find @samovar/* and the rest as a workspace package does.
const folder = mkdtempSync(join(import.meta.dirname, '../tour-'));

beforeAll(() => writeTour(folder, shown));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (file: string, ...args: string[]) =>
  execFileSync(process.execPath, [file, ...args], { cwd: folder, encoding: 'utf8', timeout: 60_000 });

describe('the tour in the README', () => {
  it('shows a root, an impl, a double with its suite, and where they meet', () => {
    const paths = shown.map(({ path }) => path).filter((path) => path !== undefined);
    expect(paths).toEqual([
      'packages/teapot/teapot/src/teapot.ts',
      'packages/teapot/teapotimpl/src/service.ts',
      'packages/teapot/teapotimpl/src/module.ts',
      'packages/teapot/teapottest/src/fake.ts',
      'packages/teapot/teapottest/src/contract.ts',
      'packages/teapot/teapotimpl/src/service.test.ts',
      'main.ts',
    ]);
  });

  it('has the right types', () => {
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    expect(run(tsc, '-p', folder)).toBe('');
  });

  it('prints what the README says', () => {
    const main = shown.findIndex(({ path }) => path === 'main.ts');
    expect(shown[main + 1]?.language).toBe('text');
    expect(run('--conditions=@samovar/source', 'main.ts')).toBe(shown[main + 1]?.text);
  });

  it('passes its own suite', () => {
    const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
    const config = join(import.meta.dirname, '../vitest.config.ts');
    const impl = join(folder, 'packages/teapot/teapotimpl');
    run(vitest, 'run', '--config', config, '--root', impl);
    const results = JSON.parse(readFileSync(join(impl, 'test-results.json'), 'utf8'));
    expect(results).toMatchObject({ success: true, numTotalTests: 4 });
  });
});
