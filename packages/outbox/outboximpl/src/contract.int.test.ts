import type { Db } from '@samovar/db';
import { type FreshDb, freshSqlite, startPostgres, type TestPostgres } from '@samovar/dbtest';
import { connect } from '@samovar/edaimpl';
import { outboxContract } from '@samovar/outboxtest/contract';
import { afterAll, beforeAll } from 'vitest';
import { openDb, publishing, TestOutbox } from '../testing.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres[Symbol.asyncDispose]());

async function start(opening: Promise<FreshDb<Db & AsyncDisposable>>) {
  const opened = await opening;
  const conn = await connect('memory:');
  const refusing = new Map<string, Error>();
  const refusable = publishing(conn, (real, ctx, stream, ...rest) => {
    const fault = refusing.get(stream);
    return fault === undefined ? real(ctx, stream, ...rest) : Promise.reject(fault);
  });
  const relaying = new TestOutbox(opened.db, refusable).start();
  return {
    outbox: relaying.outbox,
    conn,
    refuse(stream: string, fault: Error | undefined) {
      if (fault === undefined) refusing.delete(stream);
      else refusing.set(stream, fault);
    },
    async [Symbol.asyncDispose]() {
      await relaying[Symbol.asyncDispose]();
      await conn.close();
      await opened[Symbol.asyncDispose]();
    },
  };
}

outboxContract('OutboxService on SQLite', () => start(freshSqlite(openDb)));
outboxContract('OutboxService on PostgreSQL', () => start(postgres.freshDb(openDb)));
