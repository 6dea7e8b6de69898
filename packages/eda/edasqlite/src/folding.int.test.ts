import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { background as ctx } from '@samovar/context';
import { type Conn, Data, type EventId } from '@samovar/eda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectSqlite } from './edasqlite.ts';
import { openFile } from './file.ts';
import { Folder } from './folder.ts';
import { type StreamState, Streams } from './streams.ts';
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

it('takes as many events in a step as have come since the last one, and no more when that takes its time', () => {
  const [publisher, side] = [openSide(), openSide()];
  let position = 0;
  const publish = (count: number) => {
    publisher.inTransaction(() => {
      const insert = publisher.db.prepare(
        "INSERT INTO events VALUES (?, ?, 8, 't', NULL, 0, 7, NULL, NULL, NULL, NULL, NULL, NULL)",
      );
      for (let n = 0; n < count; n++) insert.run(++position * 2048, publisher.streams.create(`s.${position}`).id);
      publisher.db.exec(`UPDATE log SET position = ${position}, events = ${position}`);
    });
  };
  publish(5000);
  side.fold();
  expect(side.streams.unfoldedEvents).toBe(2000);
  let time = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (time += 1000));
  try {
    side.fold();
    expect(side.streams.unfoldedEvents).toBe(1999);
    publish(100);
    side.fold();
    // Room for a key with each.
    expect(side.streams.unfoldedEvents).toBe(1999 + 100 - 200);
    clock.mockReturnValue(0);
    side.fold();
    // Those that came after it began are for the next round.
    expect(side.streams.unfoldedEvents).toBe(100);
  } finally {
    clock.mockRestore();
  }
  for (const { db } of [publisher, side]) db.close();
});

describe('keys that are folded', () => {
  const count = 3000;

  /** The events that a process without these parts would publish with the keys `k0` and so on, all in one stream. */
  function insertKeyed({ db, inTransaction, streams }: ReturnType<typeof openSide>): void {
    inTransaction(() => {
      const { id } = streams.create('s');
      const insert = db.prepare(
        "INSERT INTO events VALUES (?, ?, 8, 't', NULL, 0, 7, NULL, NULL, NULL, NULL, NULL, ?)",
      );
      for (let n = 0; n < count; n++) insert.run((n + 1) * 2048, id, `k${n}`);
      db.exec(`UPDATE log SET position = ${count}, events = ${count}`);
    });
    streams.clear();
  }

  function expectAll({ streams, folder }: ReturnType<typeof openSide>): void {
    const state = streams.byName('s') as StreamState;
    const found = Array.from({ length: count }, (_, n) => folder.find(state, `k${n}`));
    expect(found).toEqual(Array.from({ length: count }, (_, n) => (n + 1) * 2048));
    expect(folder.find(state, 'other')).toBeUndefined();
  }

  /** Whether keys are looked for in the table that are not in it. */
  const looksInVain = ({ streams }: ReturnType<typeof openSide>) => streams.foldedKeys.mayHave(1, 'other');

  it('are found by every process, and others are looked for by those only that came later', () => {
    const [publisher, a, b, c] = [openSide(), openSide(), openSide(), openSide()];
    insertKeyed(publisher);
    a.tail.refresh();
    c.tail.refresh();
    a.fold();
    // The first step is all that b sees of them.
    b.tail.refresh();
    a.fold();
    b.tail.refresh();
    c.tail.refresh();
    const late = openSide();
    for (const side of [a, b, c, late]) expectAll(side);
    expect([a, b, c, late].map(looksInVain)).toEqual([false, false, false, true]);
    publisher.db.exec("INSERT INTO keys VALUES (0, 1, 'planted', 2048)");
    const find = ({ streams, folder }: typeof a) => folder.find(streams.byName('s') as StreamState, 'planted');
    expect([a, b, c, late].map(find)).toEqual([undefined, undefined, undefined, 2048]);
    a.tail.reload();
    expectAll(a);
    expect(looksInVain(a)).toBe(true);
    for (const { db } of [publisher, a, b, c, late]) db.close();
  });

  it('are not forgotten when looking at the log fails', () => {
    const [publisher, a] = [openSide(), openSide()];
    insertKeyed(publisher);
    a.tail.refresh();
    a.fold();
    a.fold();
    const insert = "INSERT INTO events VALUES (?, 1, 8, 't', NULL, 0, 7, NULL, NULL, NULL, NULL, NULL, NULL)";
    publisher.db.prepare(insert).run((count + 1) * 2048);
    publisher.db.exec(`UPDATE log SET generation = generation + 1, position = ${count + 1}, events = ${count + 1}`);
    const broken = vi.spyOn(a.streams, 'byId').mockImplementation(() => {
      throw new Error('busy');
    });
    for (let n = 0; n < 6; n++) expect(() => a.tail.refresh()).toThrow('busy');
    broken.mockRestore();
    a.tail.refresh();
    expectAll(a);
    expect(looksInVain(a)).toBe(false);
    for (const { db } of [publisher, a]) db.close();
  });

  it('are forgotten with their generations, whoever turns those', () => {
    const [a, b] = [openSide(), openSide()];
    insertKeyed(a);
    a.tail.reload();
    b.tail.refresh();
    a.fold();
    a.fold();
    b.tail.refresh();
    const known = () => [a, b].map(({ streams }) => streams.foldedKeys.mayHave(1, 'k0'));
    for (let turns = 1; turns <= 4; turns++) {
      expect(known()).toEqual([true, true]);
      a.inTransaction(() => {
        a.folder.step(a.tail.generationSince + 120_000);
        a.db.prepare('UPDATE log SET generation = ?').run(a.tail.generation);
      });
      b.tail.refresh();
    }
    expect([a.tail.generation, known()]).toEqual([4, [false, false]]);
    for (const { db } of [a, b]) db.close();
  });

  it('and the events with them, are counted once when the first look at the log fails halfway', () => {
    const publisher = openSide();
    insertKeyed(publisher);
    const db = openFile(path);
    const streams = new Streams(db);
    const tail = new Tail(db, streams);
    let left = 10;
    const byId = streams.byId.bind(streams);
    const broken = vi.spyOn(streams, 'byId').mockImplementation((id) => {
      if (left-- === 0) throw new Error('busy');
      return byId(id);
    });
    expect(() => tail.refresh()).toThrow('busy');
    broken.mockRestore();
    tail.refresh();
    expect(streams.byName('s')?.events).toBe(count);
    db.close();
    publisher.db.close();
  });
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
  return { db, streams, tail, folder, inTransaction, fold };
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
