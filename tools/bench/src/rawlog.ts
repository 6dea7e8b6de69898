import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { background } from '@samovar/context';
import { Data } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import type { Time } from './measure.ts';

export interface RawWork {
  /** Events in a batch. */
  readonly inFlight: number;
  /** Whether each event of a batch is of another stream; otherwise all are of one. */
  readonly isDistinct: boolean;
  readonly events: number;
  /** Whether each event has a key, and is stored only behind the event that its publisher knows of. */
  readonly isGuarded: boolean;
}

/** What the events carry: 100 characters of JSON. */
export interface Letter {
  readonly publisher: number;
  readonly n: number;
  readonly text: string;
}

/** As the raw ways set what edasqlite sets. */
export const settings = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL';

const filler = 'abcdefghijklmnopqrstuvwxyz'.repeat(4);
/** A commit's events have positions of their own, with room for 2,048. */
const positionsPerCommit = 2048;

export function letter(publisher: number, n: number): Letter {
  const digits = String(publisher).length + String(n).length;
  return { publisher, n, text: filler.slice(0, 68 - digits) };
}

/**
 * When the tables that only serve looking up (a stream's events and head, the keys) get their rows: with each batch; in
 * bulk and sorted, whenever so many events have come together as edasqlite waits for on average; or never.
 */
export type Indexing = 'each batch' | 'in bulk' | 'never';

const bulk = 98_304;

/**
 * Stores the events as edasqlite does, without edasqlite: the same rows in a file that it has made, a transaction for
 * each batch, and after one of 1,000 a turn of the event loop. `time` says what part of it counts.
 */
export async function rawPublish(file: string, work: RawWork, indexing: Indexing, time: Time): Promise<void> {
  const kind = await makeFile(file);
  const db = new DatabaseSync(file);
  db.exec(`${settings}; PRAGMA cache_size = -32000`);
  const storeBatch = batchWriter(db, work, kind, indexing);
  await time(async () => {
    for (let n = 0; n < work.events / work.inFlight; n++) {
      storeBatch(n);
      if (work.inFlight >= 1000) await setImmediate();
    }
  });
  const stored = db.prepare("SELECT count(*) AS count FROM events WHERE type = 'bench.LetterSent'").get()
    ?.count as number;
  if (stored !== work.events) throw new Error(`${stored} of ${work.events} events were stored`);
  db.close();
}

/** Has edasqlite make the file, and tells which kind of event its own JSON is. */
export async function makeFile(file: string): Promise<number> {
  {
    await using conn = await connect(`sqlite:${file}`);
    await conn.publish(background, 'bench', { type: 'bench.FileMade', data: Data.json({}) });
  }
  const db = new DatabaseSync(file, { readOnly: true });
  const kind = db.prepare('SELECT kind FROM events').get()?.kind as number;
  db.close();
  return kind;
}

/** What stores one batch after the other. */
export function batchWriter(db: DatabaseSync, work: RawWork, kind: number, indexing: Indexing): (n: number) => void {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const updateLog = db.prepare('UPDATE log SET position = ?, events = ?');
  const addStream = db.prepare('INSERT INTO streams (name, head, clock, events) VALUES (?, 0, 0, 0)');
  const addEvent = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const index = indexer(db);
  const streams: number[] = [];
  let unindexed: Row[] = [];
  let position = 1;

  return (n) => {
    begin.run();
    const clock = Date.now();
    for (let publisher = 0; publisher < work.inFlight; publisher++) {
      const seq = ++position * positionsPerCommit;
      const at = work.isDistinct ? publisher : 0;
      const stream = streams[at] ?? Number(addStream.run(`bench.${at}`).lastInsertRowid);
      streams[at] = stream;
      const data = JSON.stringify(letter(publisher, n));
      const key = work.isGuarded ? `letter-${publisher}-${n}` : null;
      addEvent.run(seq, stream, kind, 'bench.LetterSent', data, clock, clock, null, null, null, null, null, key);
      if (indexing !== 'never') unindexed.push({ stream, seq, key });
    }
    if (unindexed.length >= (indexing === 'in bulk' ? bulk : 1)) {
      index(unindexed, clock);
      unindexed = [];
    }
    updateLog.run(position, position);
    commit.run();
  };
}

interface Row {
  readonly stream: number;
  readonly seq: number;
  readonly key: string | null;
}

function indexer(db: DatabaseSync): (rows: readonly Row[], clock: number) => void {
  const addToStream = db.prepare('INSERT INTO stream_events (stream, seq) VALUES (?, ?)');
  const addKey = db.prepare('INSERT INTO keys (generation, stream, key, seq) VALUES (0, ?, ?, ?)');
  const moveHead = db.prepare('UPDATE streams SET head = ?, clock = ?, events = events + ? WHERE id = ?');
  return (rows, clock) => {
    for (const [stream, own] of Map.groupBy(rows, (row) => row.stream)) {
      for (const { seq } of own) addToStream.run(stream, seq);
      for (const { seq, key } of own) if (key !== null) addKey.run(stream, key, seq);
      moveHead.run(own.at(-1)?.seq ?? 0, clock, own.length, stream);
    }
  };
}
