import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import type { Db } from '@samovar/db';
import { expect, it } from 'vitest';
import { freshSqlite, startPostgres } from './dbtest.ts';

/** Only where it is counts here. */
const open = () => ({ [Symbol.asyncDispose]: async () => {} }) as unknown as Db & AsyncDisposable;

it('gives each test another SQLite file, and takes its folder away', async () => {
  const one = await freshSqlite(open);
  await using other = await freshSqlite(open);
  expect(one.url).not.toBe(other.url);
  await one[Symbol.asyncDispose]();
  expect(existsSync(one.url.slice('sqlite:'.length, -'/test.db'.length))).toBe(false);
});

it('gives each test another database of one PostgreSQL, which is gone afterwards', async () => {
  const server = await startPostgres();
  const one = await server.freshDb(open);
  const other = new URL((await server.freshDb(open)).url);
  expect(one.url).not.toBe(other.href);
  await one[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await expect(reach(Number(other.port))).rejects.toThrow('ECONNREFUSED');
});

function reach(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', resolve);
    socket.once('error', reject);
  });
}
