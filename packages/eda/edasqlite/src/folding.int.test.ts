import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { background as ctx } from '@samovar/context';
import { type Conn, Data, type EventId } from '@samovar/eda';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectSqlite } from './edasqlite.ts';
import { openFile } from './file.ts';
import { Folder } from './folder.ts';
import { Streams } from './streams.ts';
import { Tail } from './tail.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
  path = join(folder, 'events.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

const streams = 97;
const commitSize = 20;
const ids: EventId[][] = [];

/** Publishes commits with keys, spread over the streams, while as many are in flight as there are streams. */
async function publish(conn: Conn, commits: number): Promise<void> {
  await Promise.all(
    Array.from({ length: streams }, async () => {
      while (ids.length < commits) {
        const at = ids.push([]) - 1;
        const events = Array.from({ length: commitSize }, (_, i) => ({
          type: 't',
          data: Data.json(at * commitSize + i),
        }));
        ids[at] = await conn.publishAll(ctx, `s.${at % streams}`, events, { key: `key ${at}` });
      }
    }),
  );
}

async function numbers(conn: Conn, selector: string, backwards = false): Promise<number[]> {
  const found: number[] = [];
  for await (const { data } of conn.read(ctx, selector, { backwards })) found.push(data.json<number>());
  return found;
}

function tables(): Record<string, unknown> {
  const db = new DatabaseSync(path, { readOnly: true });
  const count = (table: string) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n;
  try {
    return {
      folded: count('stream_events'),
      keys: count('keys'),
      indexed: db.prepare('SELECT indexed FROM log').get()?.indexed,
    };
  } finally {
    db.close();
  }
}

it('what is folded into the tables and what is not read as one', async () => {
  ids.length = 0;
  const elsewhere = connectSqlite(path);
  const conn = connectSqlite(path);
  // More than twice the number at which folding begins at the latest.
  const commits = 14_000;
  await publish(conn, commits);
  const { folded, keys, indexed } = tables();
  expect(folded).toBeGreaterThan(65_000);
  expect(folded).toBeLessThan(commits * commitSize);
  expect(keys).toBe(Math.ceil((folded as number) / commitSize));
  expect(indexed).toBeGreaterThan(0);
  await check(conn, commits);
  await Promise.all([conn.close(), elsewhere.close()]);
  const again = connectSqlite(path);
  await check(again, commits);
  await publish(again, commits + 500);
  await check(again, commits + 500);
  await again.close();
}, 60_000);

it('may be done by two processes at once', () => {
  const sides: ReturnType<typeof openSide>[] = [];
  const side = () => sides[sides.push(openSide()) - 1] as ReturnType<typeof openSide>;
  const a = side();
  const perStream = 3000;
  a.inTransaction(() => {
    for (const [i, name] of ['s', 't'].entries()) {
      const state = a.streams.create(name);
      const insert = a.db.prepare(
        "INSERT INTO events VALUES (?, ?, 8, 't', NULL, 0, 7, NULL, NULL, NULL, NULL, NULL, NULL)",
      );
      for (let n = 0; n < perStream; n++) insert.run((1 + i * perStream + n) * 2048, state.id);
    }
    a.db.exec(`UPDATE log SET position = ${perStream * 2}, events = ${perStream * 2}`);
  });
  a.tail.reload();
  const b = side();
  // A step is shorter than a stream: b begins with the first stream when a is through with it, and never gets further.
  for (const each of [a, a, b, a]) each.fold();
  const c = side();
  expect(c.tail.indexed).toBe(perStream * 2 * 2048);
  for (const { streams } of sides) {
    expect(streams.byName('s')).toMatchObject({ events: perStream, head: { seq: perStream * 2048, clock: 7 } });
    expect(streams.byName('t')).toMatchObject({ events: perStream, head: { seq: perStream * 2 * 2048, clock: 7 } });
  }
  for (const { db } of sides) db.close();
});

/** What a process has of the log, and folds whenever it is told to. */
function openSide() {
  const db = openFile(path);
  const streams = new Streams(db);
  const tail = new Tail(db, streams);
  const folder = new Folder(db, streams, tail, 0);
  tail.refresh();
  const inTransaction = (work: () => void) => {
    db.exec('BEGIN IMMEDIATE');
    work();
    db.exec('COMMIT');
  };
  const fold = () => {
    inTransaction(() => {
      tail.refresh();
      if (folder.step(0)) db.prepare('UPDATE log SET indexed = ?').run(tail.indexed);
    });
    folder.committed();
  };
  return { db, streams, tail, inTransaction, fold };
}

async function check(conn: Conn, commits: number): Promise<void> {
  for (const stream of [0, 1, 50, 96]) {
    const mine = Array.from({ length: commits }, (_, at) => at).filter((at) => at % streams === stream);
    const expected = mine.flatMap((at) => Array.from({ length: commitSize }, (_, i) => at * commitSize + i));
    const byCommit = (found: number[]) => found.toSorted((a, b) => a - b);
    expect(byCommit(await numbers(conn, `s.${stream}`))).toEqual(expected);
    expect(await numbers(conn, `s.${stream}`, true)).toEqual((await numbers(conn, `s.${stream}`)).reverse());
    const head = mine
      .map((at) => ids[at]?.at(-1) as EventId)
      .sort()
      .at(-1);
    expect(await conn.head(ctx, `s.${stream}`)).toBe(head);
  }
  for (const at of [0, 1, 5000, commits - 1]) {
    const again = await conn.publishAll(ctx, `s.${at % streams}`, [{ type: 'again' }], { key: `key ${at}` });
    expect(again).toEqual(ids[at]);
  }
  let events = 0;
  for await (const info of conn.streams(ctx)) events += info.events;
  expect(events).toBe(commits * commitSize);
}
