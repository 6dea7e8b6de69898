import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { runSteps } from './runner.ts';
import { type Step, steps } from './steps.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'verify-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
});

function step(name: string, script: string, rest: Partial<Step> = {}): Step {
  return { name, says: name, command: [process.execPath, '-e', script], ...rest };
}

async function runAll(chosen: readonly Step[], options: { signal?: AbortSignal; isTTY?: boolean } = {}) {
  let text = '';
  const out = { isTTY: options.isTTY ?? false, write: (part: string) => (text += part) };
  const counts = await runSteps(chosen, { root, signal: options.signal ?? new AbortController().signal, out });
  return { counts, text, lines: text.trimEnd().split('\n') };
}

/** A package whose script `test` is what the fake steps below stand for. */
function addPackage(): string {
  const folder = join(root, 'packages/tea/tea');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"name":"@samovar/tea","scripts":{"test":"vitest run"}}');
  return join(folder, 'test-results.json');
}

function report(numPassedTests: number, numFailedTests: number): string {
  return JSON.stringify({ numPassedTests, numFailedTests, numPendingTests: 0, numTodoTests: 0, testResults: [] });
}

/** The program of a step that leaves these results. */
function leave(file: string, passed: number, failed: number): string {
  return `fs.writeFileSync(${JSON.stringify(file)}, ${JSON.stringify(report(passed, failed))});`;
}

describe('runSteps', () => {
  it('goes on behind a failure, shows its output in full, and ends in the counts', async () => {
    const { lines, counts } = await runAll([
      step('first', 'console.log("quiet")'),
      step('second', 'console.log("out"); console.error("err"); process.exit(3)'),
      step('third', ''),
    ]);
    expect(counts).toEqual({ passed: 2, failed: 1, skipped: 0 });
    expect(lines).toEqual([
      expect.stringMatching(/^✓ first +\d+\.\d s$/),
      'out',
      'err',
      expect.stringMatching(/^✗ second +\d+\.\d s$/),
      expect.stringMatching(/^✓ third +\d+\.\d s$/),
      '',
      'failed: second',
      '2 passed, 1 failed',
    ]);
  });

  it('shows on a terminal which step is running', async () => {
    const { text } = await runAll([step('first', '')], { isTTY: true });
    expect(text.split(/\s{2,}/)[0]).toBe('\r… first');
    expect(text).toContain('0.0 s\r\u001B[K✓ first');
  });

  it('counts a command that cannot be started, and one that a signal ends', async () => {
    const missing: Step = { name: 'missing', says: '', command: ['no-such-program'] };
    const { counts, text } = await runAll([missing, step('killed', 'process.kill(process.pid, "SIGKILL")')]);
    expect(counts).toEqual({ passed: 0, failed: 2, skipped: 0 });
    expect(text).toContain('no-such-program cannot be run');
  });

  it('counts tests one by one', async () => {
    const file = addPackage();
    const { counts, lines } = await runAll([step('test', leave(file, 7, 0), { tests: 'test' }), step('check', '')]);
    expect(counts).toEqual({ passed: 8, failed: 0, skipped: 0 });
    expect(lines[0]).toMatch(/^✓ test +\d+\.\d s {2}7 passed, 0 failed$/);
    expect(lines.at(-1)).toBe('8 passed, 0 failed');
  });

  it('does not count what an earlier run left', async () => {
    writeFileSync(addPackage(), report(7, 0));
    expect((await runAll([step('test', '', { tests: 'test' })])).counts).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('counts a run that failed though no test did, and does not add to tests that did', async () => {
    const file = addPackage();
    const crashing = step('test', `${leave(file, 7, 0)} process.exit(1)`, { tests: 'test' });
    expect((await runAll([crashing])).counts).toEqual({ passed: 7, failed: 1, skipped: 0 });
    const failing = step('test', `${leave(file, 5, 2)} process.exit(1)`, { tests: 'test' });
    expect((await runAll([failing])).counts).toEqual({ passed: 5, failed: 2, skipped: 0 });
  });

  it('does not run what needs a step that failed', async () => {
    const marker = join(root, 'marker');
    const needy = step('needy', `fs.writeFileSync(${JSON.stringify(marker)}, '')`, { needs: 'build' });
    const { counts, text } = await runAll([step('build', 'process.exit(1)'), needy]);
    expect(counts).toEqual({ passed: 0, failed: 2, skipped: 0 });
    expect(text).toContain('not run, because build failed');
    expect(existsSync(marker)).toBe(false);
    expect((await runAll([needy])).counts).toEqual({ passed: 1, failed: 0, skipped: 0 });
  });

  it('ends the running step and what it started when interrupted, and starts no other', async () => {
    const started = join(root, 'started');
    // It holds the step's output open: the step ends only when this has ended too.
    const grandchild = `fs.writeFileSync(${JSON.stringify(started)}, ''); setInterval(() => {}, 1000)`;
    const options = "{ stdio: 'inherit' }";
    const parent = `child_process.spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], ${options})`;
    const controller = new AbortController();
    const running = runAll([step('long', parent), step('next', '')], { signal: controller.signal });
    await vi.waitUntil(() => existsSync(started), { timeout: 10_000 });
    controller.abort();
    expect((await running).lines).toEqual(['interrupted']);
  }, 15_000);
});

describe('the command', () => {
  const main = `${import.meta.dirname}/main.js`;

  it('explains itself', () => {
    const { status, stdout } = spawnSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
    expect(status).toBe(0);
    for (const { name } of steps) expect(stdout).toContain(`  ${name} `);
  });

  it('refuses a step that it does not know', () => {
    const { status, stderr } = spawnSync(process.execPath, [main, 'tea'], { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^no step tea: the steps are format, /);
  });

  it('exits with 130 on Ctrl-C', async () => {
    // The first step that it comes to runs a program of this test's.
    const started = join(root, 'started');
    writeFileSync(join(root, 'biome'), `#!/bin/sh\ntouch '${started}'\nexec sleep 60\n`, { mode: 0o755 });
    const env = { ...process.env, PATH: `${root}:${process.env.PATH}` };
    const child = spawn(process.execPath, [main, 'format'], { env, stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const exit = new Promise((resolve) => child.on('exit', resolve));
    await vi.waitUntil(() => existsSync(started), { timeout: 10_000 });
    child.kill('SIGINT');
    expect(await exit).toBe(130);
  });
});
