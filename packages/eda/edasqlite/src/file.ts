import { randomBytes, randomInt } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { LogUnavailableError, NotALogError } from '@samovar/eda';
import { asOpenError, damaged } from './errors.ts';
import { applicationId, schema, upgrades, version } from './schema.ts';

/** Milliseconds to wait for another process that is opening or closing the file. */
const openTimeout = 10_000;
/** Bytes up to which a file is checked throughout when it is opened: about 200 ms. */
const checkedThroughout = 128 * 1024 * 1024;
/** KiB of pages kept in memory at most: what finding any of a million streams takes is 75 MB. */
const cacheSize = 128_000;
const headerSize = 100;

/**
 * Opens the log at `path`, made first if there is none. Whatever else is there is refused, and left as it is.
 *
 * @throws {NotALogError} @throws {LogUnavailableError}
 */
export function openFile(path: string): DatabaseSync {
  try {
    if (statOf(path) === undefined) createFile(path);
    checkFile(path);
    return openChecked(path);
  } catch (error) {
    throw asOpenError(error, path);
  }
}

/** What tells a file from others, whatever it is called. */
export function identityOf(path: string): string | undefined {
  const stat = statOf(path);
  return stat && `${stat.dev}:${stat.ino}`;
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

/** Makes the file elsewhere and then gives it its name, so that nobody ever sees half of it, nor two make it at once. */
function createFile(path: string): void {
  const draft = `${path}.new-${randomBytes(6).toString('hex')}`;
  try {
    const db = new DatabaseSync(draft);
    try {
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}; ${schema}`);
      const insert = 'INSERT INTO log VALUES (1, ?, 0, 0, 0, 0, 0, ?, 0)';
      db.prepare(insert).run(randomInt(2 ** 20), Date.now());
      db.exec('PRAGMA journal_mode = WAL');
    } finally {
      db.close();
    }
    giveName(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

function giveName(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    renameSync(draft, path);
  }
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Looks at the bytes, without SQLite, as that would begin by repairing what is not ours. */
function checkFile(path: string): void {
  const stat = statOf(path);
  if (stat === undefined) throw new LogUnavailableError(`the event log ${path} is gone`);
  if (!stat.isFile()) throw new LogUnavailableError(`the event log ${path} is no file`);
  const header = readHeader(path);
  if (stat.size === 0) throw new NotALogError(`${path} is empty: delete it to begin a new event log`);
  if (header.length < headerSize || header.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    throw new NotALogError(`${path} is no event log`);
  }
  if (header.readUInt32BE(68) !== applicationId) throw new NotALogError(`${path} is another program's SQLite database`);
  const found = header.readUInt32BE(60);
  if (found > version) throw newer(path);
  if (hasWal(path)) return;
  try {
    checkThroughout(path, stat.size, header);
  } catch (error) {
    // Another process may have opened it meanwhile, and be writing to it.
    if (!hasWal(path)) throw error;
  }
}

function readHeader(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(headerSize);
    return header.subarray(0, readSync(file, header, 0, headerSize, 0));
  } finally {
    closeSync(file);
  }
}

/** Whether it is open, or was left by a crash: then parts of it are not in the file itself. */
function hasWal(path: string): boolean {
  return (statOf(`${path}-wal`)?.size ?? 0) > 0;
}

function checkThroughout(path: string, size: number, header: Buffer): void {
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  if (size < header.readUInt32BE(28) * pageSize) throw damaged(path);
  if (size > checkedThroughout) return;
  const db = new DatabaseSync(`${pathToFileURL(path).href}?immutable=1`, { readOnly: true });
  try {
    const answer = db.prepare('PRAGMA quick_check(1)').get();
    if (answer?.quick_check !== 'ok') throw damaged(path, { cause: answer?.quick_check });
  } finally {
    db.close();
  }
}

function openChecked(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: openTimeout, enableForeignKeyConstraints: false });
  try {
    const id = db.prepare('PRAGMA application_id').get()?.application_id;
    if (id !== applicationId || db.prepare('SELECT number FROM log').get() === undefined) throw damaged(path);
    db.prepare('SELECT max(seq) FROM events').get();
    if (versionOf(db) !== version) upgrade(db, path);
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${cacheSize}`);
    // From here on whoever finds the file busy tries again without holding everything else up.
    db.exec('PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 0');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** All or nothing, and only once, also when several processes open the file now. */
function upgrade(db: DatabaseSync, path: string): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    // The header of a file that somebody has open may say less than its journal, and another may have been faster.
    const found = versionOf(db);
    if (found > version) throw newer(path);
    if (found < 1) throw damaged(path);
    for (const step of upgrades.slice(found - 1)) db.exec(step);
    db.exec(`PRAGMA user_version = ${version}; COMMIT`);
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
  }
  // Older programs look at the header of the file itself.
  db.exec('PRAGMA wal_checkpoint(PASSIVE)');
}

function versionOf(db: DatabaseSync): number {
  return db.prepare('PRAGMA user_version').get()?.user_version as number;
}

function newer(path: string): NotALogError {
  return new NotALogError(`${path} was written by a newer version: upgrade to open it`);
}
