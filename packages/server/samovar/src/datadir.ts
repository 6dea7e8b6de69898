import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DataDirHeldError, DataDirUnusableError } from './errors.ts';

const busy = 5;

/**
 * Makes `path` if it is not there, and holds it, against every other samovar, until the result is disposed of or the
 * process is gone, however it went.
 *
 * @throws {DataDirUnusableError} @throws {DataDirHeldError}
 */
export function takeDataDir(path: string): Disposable {
  makeDir(path);
  // SQLite locks with the system's own file locks, which end with the process.
  const lock = open(path);
  try {
    lock.exec('BEGIN EXCLUSIVE');
    writeFileSync(holderFile(path), `${process.pid}\n`);
  } catch (cause) {
    lock.close();
    if ((cause as { errcode?: number }).errcode === busy) throw new DataDirHeldError(path, holderOf(path));
    throw new DataDirUnusableError(path, (cause as Error).message, { cause });
  }
  return {
    [Symbol.dispose]() {
      rmSync(holderFile(path), { force: true });
      lock.close();
    },
  };
}

function makeDir(path: string): void {
  try {
    // It often stands in a checkout, where nobody wants to commit it.
    if (makeFolders(path)) writeFileSync(join(path, '.gitignore'), '*\n');
  } catch (cause) {
    throw new DataDirUnusableError(path, (cause as Error).message, { cause });
  }
}

/** Whether `path` was made. node's own recursive mkdirSync never returns where the system makes no folders, as in /proc. */
function makeFolders(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return false;
  if (dirname(path) !== path) makeFolders(dirname(path));
  mkdirSync(path);
  return true;
}

function open(path: string): DatabaseSync {
  try {
    return new DatabaseSync(join(path, 'lock.db'), { timeout: 0 });
  } catch (cause) {
    throw new DataDirUnusableError(path, (cause as Error).message, { cause });
  }
}

function holderOf(path: string): string {
  try {
    return `process ${readFileSync(holderFile(path), 'utf8').trim()}`;
  } catch {
    return 'which is just starting or stopping';
  }
}

function holderFile(path: string): string {
  return join(path, 'samovar.pid');
}
