import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { background as ctx } from '@samovar/context';
import { Data, type Event } from '@samovar/eda';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectSqlite } from './edasqlite.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
  path = join(folder, 'events.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

const count = 3000;

/** A log that was closed cleanly. */
async function makeLog(): Promise<void> {
  const conn = connectSqlite(path);
  const events = Array.from({ length: count }, (_, n) => ({
    type: 't',
    data: Data.json({ n, text: 'x'.repeat(100) }),
  }));
  for (let at = 0; at < count; at += 1000) await conn.publishAll(ctx, 's', events.slice(at, at + 1000));
  await conn.close();
}

async function readAll(at: string): Promise<Event[]> {
  const conn = connectSqlite(at);
  const events: Event[] = [];
  for await (const event of conn.read(ctx, 's')) events.push(event);
  await conn.close();
  return events;
}

/** Expects that opening is refused with this message, and leaves the folder and every byte in it as it is. */
function expectRefused(message: RegExp, id = 'eda.notALog'): void {
  const bytes = () => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')]);
  const before = bytes();
  expect(() => connectSqlite(path)).toThrow(expect.objectContaining({ id, message: expect.stringMatching(message) }));
  expect(bytes()).toEqual(before);
}

describe('a file that is no event log is refused, and left as it is:', () => {
  it('a text', () => {
    writeFileSync(path, 'tea '.repeat(1000));
    expectRefused(/is no event log/);
  });

  it('an empty file', () => {
    writeFileSync(path, '');
    expectRefused(/is empty/);
  });

  it('a SQLite database of somebody else, also one with a journal to roll back', () => {
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE tea (cup); INSERT INTO tea VALUES (1)');
    db.close();
    expectRefused(/another program/);
    writeFileSync(`${path}-journal`, 'x'.repeat(600));
    expectRefused(/another program/);
  });

  it('a log of a newer version', async () => {
    await makeLog();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 5; PRAGMA journal_mode = DELETE');
    db.close();
    expectRefused(/newer version/);
  });

  it.each([20, 100, 4096, 10_000, 0.5, 0.99])('a log cut off at %d', async (at) => {
    await makeLog();
    const { size } = statSync(path);
    truncateSync(path, at < 1 ? Math.floor(size * at) : at);
    expectRefused(at === 20 ? /is no event log/ : /truncated or damaged/);
  });

  it.each([1, 2, 7, 50])('a log whose page %d is overwritten', async (page) => {
    await makeLog();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, page * 4096 + (page === 0 ? 100 : 0), (page + 1) * 4096);
    writeFileSync(path, bytes);
    expectRefused(/truncated or damaged/);
  });
});

describe('a path that cannot be opened is said to be so:', () => {
  it('a folder', () => {
    mkdirSync(path);
    expect(() => connectSqlite(path)).toThrow(expect.objectContaining({ id: 'eda.logUnavailable' }));
  });

  it('a file in a folder that does not exist', () => {
    path = join(folder, 'none', 'events.db');
    expect(() => connectSqlite(path)).toThrow(expect.objectContaining({ id: 'eda.logUnavailable' }));
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a log', () => {
  it('is one file when it is closed', async () => {
    await makeLog();
    expect(readdirSync(folder)).toEqual(['events.db']);
    expect(await readAll(path)).toHaveLength(count);
  });

  it('whose process was stopped dead is opened with all that was acknowledged', async () => {
    const conn = connectSqlite(path);
    for (let n = 0; n < 50; n++) await conn.publish(ctx, 's', { type: 't', data: Data.json(n) });
    const copy = join(folder, 'copy.db');
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, copy + suffix);
    await conn.close();
    expect((await readAll(copy)).map(({ data }) => data.json())).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  it('is one and the same under each of its names', async () => {
    const [a, b] = [connectSqlite(path), connectSqlite(join(folder, '.', 'x', '..', 'events.db'))];
    const id = await a.publish(ctx, 's', { type: 't' });
    expect(await b.head(ctx, 's')).toBe(id);
    await Promise.all([a.close(), b.close()]);
  });

  it('refuses wrong options before it makes a file', () => {
    expect(() => connectSqlite(path, { client: 'a\n' })).toThrow('client');
    expect(readdirSync(folder)).toEqual([]);
  });
});
