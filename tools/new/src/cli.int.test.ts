import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { runCli } from './cli.ts';
import { readFiles, tea, writeFiles } from './fixture.ts';

let output: string;
beforeEach(() => {
  output = '';
  const collect = (text: string | Uint8Array) => {
    output += `${text.toString()}\n`;
    return true;
  };
  for (const method of ['log', 'error'] as const) vi.spyOn(console, method).mockImplementation(collect);
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation(collect);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const never = new AbortController().signal;

/** A workspace in which `pnpm` is this shell script, and `biome` and `node` do nothing. */
function workspaceWith(pnpm: string): string {
  const root = writeFiles({ ...tea, 'README.md': 'old', 'pnpm-lock.yaml': 'old' });
  const tools = writeFiles({});
  for (const [name, script] of Object.entries({ pnpm, biome: 'exit 0', node: 'exit 0' })) {
    writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(tools, name), 0o755);
  }
  vi.stubEnv('PATH', `${tools}${delimiter}${process.env.PATH}`);
  return root;
}

it('makes a service, and says what is next', async () => {
  const root = workspaceWith('echo new > pnpm-lock.yaml');
  expect(await runCli(['service', 'pot', '--depends', ' tea,', '--store', 'none'], { root, signal: never })).toBe(0);
  expect(Object.keys(readFiles(root))).toContain('packages/pot/potimpl/src/service.ts');
  expect(output).toContain('made packages/pot');
  expect(output).toContain('curl localhost:7420/v1/pot/AddPotCommand');
});

it('adds a message', async () => {
  const root = workspaceWith('exit 0');
  expect(await runCli(['message', 'tea', 'Command', 'PourTea'], { root, signal: never })).toBe(0);
  expect(readFiles(root)['packages/tea/teaimpl/src/service.ts']).toContain('async pourTea(');
  expect(output).toContain("it.todo('answers tea.PourTeaCommand')");
});

it('leaves all as it was when the installation fails, and says why', async () => {
  const root = workspaceWith(
    'echo new > pnpm-lock.yaml; mkdir -p packages/pot/pot/node_modules; echo no network >&2; exit 7',
  );
  const before = readFiles(root);
  expect(await runCli(['service', 'pot'], { root, signal: never })).toBe(1);
  expect(readFiles(root)).toEqual(before);
  expect(output).toMatch(
    /pnpm install --prefer-offline --no-frozen-lockfile failed:\nno network\n\neverything is as it was/,
  );
});

it('leaves all as it was when it is interrupted, once what it had started is gone', async () => {
  const notes = writeFiles({});
  const last = `echo late > pnpm-lock.yaml; sleep 0.2; echo ended > ${notes}/ended; exit 1`;
  const root = workspaceWith(`trap "${last}" TERM; echo half > pnpm-lock.yaml; while :; do sleep 0.05; done`);
  const before = readFiles(root);
  const controller = new AbortController();
  const running = runCli(['service', 'pot'], { root, signal: controller.signal });
  await vi.waitUntil(() => readFiles(root)['pnpm-lock.yaml'] === 'half\n', { timeout: 20_000 });
  controller.abort(130);
  expect(await running).toBe(1);
  expect(readFiles(notes)).toEqual({ ended: 'ended\n' });
  expect(readFiles(root)).toEqual(before);
  expect(output).toContain('interrupted: everything is as it was');
});

it('lists with --dry-run, and writes nothing', async () => {
  const root = workspaceWith('exit 1');
  const before = readFiles(root);
  expect(await runCli(['service', 'pot', '--dry-run'], { root, signal: never })).toBe(0);
  expect(await runCli(['message', 'tea', 'event', 'TeaBrewed', '--dry-run'], { root, signal: never })).toBe(0);
  expect(readFiles(root)).toEqual(before);
  expect(output).toContain('new     packages/pot/pot/src/pot.ts\n');
  expect(output).toContain('change  packages/tea/tea/src/tea.ts\n');
});

it.each([
  [['service', 'tea'], /^'tea' is taken: .*\n$/],
  [['message', 'tea', 'Command', 'BrewTea'], /^packages\/tea\/tea\/src\/tea\.ts has BrewTeaCommand already.*\n$/],
  [['service'], /missing required argument 'name'/],
  [['service', 'pot', '--colour'], /unknown option '--colour'/],
  [['cup'], /unknown command 'cup'/],
])('refuses %j with exit code 2 and one line', async (args, line) => {
  const root = workspaceWith('exit 1');
  const before = readFiles(root);
  expect(await runCli(args, { root, signal: never })).toBe(2);
  expect(output).toMatch(line);
  expect(readFiles(root)).toEqual(before);
});

it('explains itself', async () => {
  expect(await runCli(['service', '--help'], { root: '/', signal: never })).toBe(0);
  expect(output).toContain('--store <kind>');
});
