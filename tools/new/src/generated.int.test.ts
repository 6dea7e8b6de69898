import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Result, Scratch } from './scratch.ts';

/** A service of each kind, with and without those before it to depend on. */
const services: Readonly<Record<string, readonly string[]>> = {
  teapot: ['--store', 'none'],
  coffee: ['--store', 'sql', '--depends', 'teapot', '--event', 'CoffeeBrewed'],
  batteries: ['--store', 'events', '--depends', 'coffee,teapot'],
  saucers: ['--store', 'sql'],
  invoice: ['--store', 'events'],
  spoon: ['--store', 'none', '--depends', 'invoice'],
};
/** In services of each kind, and in a worked example. */
const messages = [
  ['saucers', 'Command', 'BreakSaucer'],
  ['saucers', 'query', 'CountSaucersQuery'],
  ['saucers', 'EVENT', 'SaucerBroken'],
  ['spoon', 'Command', 'BendSpoon'],
  ['invoice', 'Query', 'ListInvoices'],
  ['numerical', 'Query', 'ListNumbers'],
] as const;
const domains = [...Object.keys(services), 'numerical'];
const lastService = Object.keys(services).at(-1);

const cli = 'tools/new/src/main.ts';
let scratch: Scratch;
const generate = (...args: readonly string[]) => scratch.run('node', '--conditions=@samovar/source', cli, ...args);

beforeAll(async () => {
  scratch = await Scratch.make();
  // The last one's installation is enough for all.
  const pnpm = join(scratch.root, 'node_modules/.bin/pnpm');
  writeFileSync(pnpm, '#!/bin/sh\n', { mode: 0o755 });
  for (const [name, options] of Object.entries(services)) {
    if (name === lastService) rmSync(pnpm);
    succeeded(await generate('service', name, ...options));
  }
  for (const message of messages) succeeded(await generate('message', ...message));
}, 180_000);

afterAll(() => scratch?.[Symbol.asyncDispose]());

function succeeded({ code, output }: Result): string {
  expect(code, output).toBe(0);
  return output;
}

/** What the generator has written; what else is wrong with the workspace is for others to tell. */
const isWritten = (path: string) =>
  domains.some((domain) => path.startsWith(`packages/${domain}/`)) ||
  ['README.md', 'packages/server/samovar/package.json', 'packages/server/samovar/src/modules.ts'].includes(path);

const folders = domains.map((domain) => `packages/${domain}`);
const filters = folders.map((folder) => `--filter=./${folder}/*`);
const turbo = (task: string, ...args: readonly string[]) =>
  scratch.run('turbo', 'run', task, '--continue', '--output-logs=errors-only', ...args);

describe('what is generated', { timeout: 240_000 }, () => {
  it('is formatted, and has nothing that biome objects to', async () => {
    const edited = ['packages/server/samovar/package.json', 'packages/server/samovar/src/modules.ts'];
    succeeded(await scratch.run('biome', 'ci', '--colors=off', ...folders, ...edited));
  });

  it('has nothing that oxlint objects to', async () => {
    succeeded(await scratch.run('oxlint', '--type-aware', '--deny-warnings', ...folders));
  });

  it('has nothing unused', async () => {
    const { output } = await scratch.run('knip', '--reporter', 'json', '--no-config-hints');
    const { issues } = JSON.parse(output) as { issues: { file: string }[] };
    expect(issues.filter(({ file }) => isWritten(file))).toEqual([]);
  });

  it('keeps the boundaries', async () => {
    succeeded(await scratch.run('turbo', 'boundaries', ...filters));
  });

  it('keeps the hierarchy, but for the event that nobody publishes yet', async () => {
    const { output } = await scratch.run('node', '--conditions=@samovar/source', 'tools/hierarchy/src/main.ts');
    expect(output).toMatch(/^packages: \d+/m);
    const breaches = output.split('\n').filter((line) => isWritten(line.split(/[: ]/, 1)[0] ?? ''));
    expect(breaches).toEqual([expect.stringMatching(/unpublished-event: nobody publishes the event SaucerBroken$/)]);
  });

  it('has the right types, and so has the bill of materials', async () => {
    // Once for all of them, as each by itself would look at all that it depends on again.
    const server = 'packages/server/samovar';
    const include = [`${server}/src`, ...folders].map((folder) => join(scratch.root, folder));
    const config = join(scratch.root, server, 'together.json');
    writeFileSync(config, JSON.stringify({ extends: '@samovar/tsconfig/base.json', include }));
    succeeded(await scratch.run('tsc', '--project', config));
    succeeded(await turbo('typecheck', '--filter=./packages/teapot/*'));
  });

  it('passes its tests, and those to fill in are counted', async () => {
    succeeded(await turbo('test', ...filters));
    const counts = (name: string) => {
      const report = JSON.parse(readFileSync(join(scratch.root, `packages/${name}/test-results.json`), 'utf8'));
      return { passed: report.numPassedTests, todo: report.numTodoTests };
    };
    expect(counts('teapot/teapotimpl')).toEqual({ passed: 13, todo: 0 });
    // Two suites, one for each database.
    expect(counts('saucers/saucersimpl')).toEqual({ passed: 27, todo: 4 });
    expect(counts('saucers/saucerstest')).toEqual({ passed: 12, todo: 2 });
    expect(counts('batteries/batteriesimpl')).toEqual({ passed: 14, todo: 0 });
    expect(counts('numerical/numericaltest')).toMatchObject({ todo: 1 });
  });

  it('is served', async () => {
    const folder = join(scratch.root, 'observed');
    mkdirSync(folder);
    succeeded(await scratch.run('git', 'init', '--quiet', folder));
    const data = join(scratch.root, 'data');
    const args = ['serve', folder, '--data', data, '--port', '0'];
    const server = scratch.start('packages/server/samovar/src/main.ts', ...args);
    try {
      const [, url] = await server.says(/Samovar serves (http:\S+)/);
      const send = async (name: string, args: object) => {
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(`${url}/v1/${name}`, { method: 'POST', headers, body: JSON.stringify(args) });
        return answer.status;
      };
      const added = { id: 'a', name: 'Ada' };
      for (const name of ['teapot/AddTeapot', 'coffee/AddCoffee', 'batteries/AddBattery', 'saucers/AddSaucer']) {
        expect(await send(`${name}Command`, added)).toBeLessThan(300);
        const query = name.replace('Add', 'Get');
        expect(await (await fetch(`${url}/v1/${query}Query?id=a`)).json()).toEqual(added);
      }
      expect(await send('saucers/BreakSaucerCommand', {})).toBe(501);
    } finally {
      succeeded(await server.stop());
    }
  });
});

it('leaves the workspace as it was when Ctrl-C ends it', { timeout: 60_000 }, async () => {
  const touched = [
    'packages/server/samovar/src/modules.ts',
    'packages/server/samovar/package.json',
    'pnpm-lock.yaml',
    'README.md',
  ];
  const read = () => touched.map((path) => readFileSync(join(scratch.root, path), 'utf8'));
  const before = read();
  const generator = scratch.start(cli, 'service', 'kettle');
  await generator.says(/pnpm install/);
  expect(existsSync(join(scratch.root, 'packages/kettle'))).toBe(true);
  const { code, output } = await generator.stop();
  expect(output).toContain('interrupted: everything is as it was');
  expect(code).toBe(130);
  expect(read()).toEqual(before);
  expect(existsSync(join(scratch.root, 'packages/kettle'))).toBe(false);
});
