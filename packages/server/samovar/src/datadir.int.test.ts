import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { takeDataDir } from './datadir.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'samovar-'))));
afterEach(() => rmSync(folder, { recursive: true }));

it('makes the directory, unknown to git, and gives it back', () => {
  const path = join(folder, 'a/b');
  const held = takeDataDir(path);
  expect(readFileSync(join(path, '.gitignore'), 'utf8')).toBe('*\n');
  expect(() => takeDataDir(path)).toThrow(`process ${process.pid}`);
  held[Symbol.dispose]();
  takeDataDir(path)[Symbol.dispose]();
  expect(readdirSync(path).toSorted()).toEqual(['.gitignore', 'lock.db']);
});

it('leaves a directory that was there as it is', () => {
  takeDataDir(folder)[Symbol.dispose]();
  expect(readdirSync(folder)).toEqual(['lock.db']);
});

it('is held until the holder is gone, also when it was killed', async () => {
  const code = `const { takeDataDir } = await import(${JSON.stringify(import.meta.resolve('./datadir.ts'))});
    globalThis.held = takeDataDir(${JSON.stringify(folder)});
    process.send('held');
    setInterval(() => {}, 1000);`;
  const script = join(folder, 'holder.mjs');
  writeFileSync(script, code);
  const holder = fork(script, { execArgv: ['--conditions=@samovar/source'] });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder, 'message');
  expect(() => takeDataDir(folder)).toThrow(
    expect.objectContaining({ id: 'samovar.dataDirHeld', message: expect.stringContaining(`process ${holder.pid}`) }),
  );
  const exited = once(holder, 'exit');
  holder.kill('SIGKILL');
  await exited;
  takeDataDir(folder)[Symbol.dispose]();
});

it.each([
  ['a path under a file', () => join(folder, 'file/data')],
  ['a file', () => join(folder, 'file')],
  ['a place where nothing can be made', () => '/proc/samovar'],
])('refuses %s', (_, path) => {
  writeFileSync(join(folder, 'file'), 'mine');
  expect(() => takeDataDir(path())).toThrow(
    expect.objectContaining({ id: 'samovar.dataDirUnusable', message: expect.stringContaining('--data') }),
  );
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('mine');
});

it('refuses a lock file that is none', () => {
  const path = join(folder, 'lock.db');
  writeFileSync(path, 'something else '.repeat(100));
  expect(() => takeDataDir(folder)).toThrow(expect.objectContaining({ id: 'samovar.dataDirUnusable' }));
  expect(readFileSync(path, 'utf8')).toMatch(/^something else/);
});
