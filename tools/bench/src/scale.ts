import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { background } from '@samovar/context';
import type { Conn, EventId } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { heap } from './heap.ts';
import {
  type Contender,
  type Effort,
  type Measured,
  measure,
  median,
  part,
  ratio,
  seconds,
  short,
  summary,
  table,
} from './measure.ts';
import { numbersBelow } from './numbers.ts';
import { toEvent } from './publishers.ts';
import { letter } from './rawlog.ts';
import { temporaryFolder } from './temporary.ts';

const fewStreams = 1000;
const manyStreamsCount = 1_000_000;
/** Events of each of these logs, and of the long one. */
const events = 1_000_000;
const manyEvents = 10_000_000;
const inFlight = 1000;

/** What a log costs that has a thousand times as many streams, and one of ten million events. Minutes, and 4 GB of disk. */
export async function scale({ rounds }: Effort): Promise<string> {
  return `${await manyStreams(rounds)}\n\n${await longLog(rounds)}`;
}

async function manyStreams(rounds: number): Promise<string> {
  await using folder = await temporaryFolder();
  const [few, many] = [join(folder.path, 'few.db'), join(folder.path, 'many.db')];
  await fill(`sqlite:${few}`, fewStreams, events);
  await fill(`sqlite:${many}`, manyStreamsCount, events);
  const rows = compare('open and close, ms', await measure([few, many].map(opening), { rounds }), false);
  rows.push(...(await used(`sqlite:${few}`, `sqlite:${many}`, [fewStreams, manyStreamsCount], { rounds, share: 1 })));
  for (const [file, count] of [
    [few, fewStreams],
    [many, manyStreamsCount],
  ] as const) {
    rows.push([
      'heap after 200,000 heads and all events, MB',
      short(count),
      `${short(await held(`sqlite:${file}`, count, 200_000))} | `,
      '',
    ]);
  }
  const notes = `${short(events)} events in each log at first. Streams are picked at random.`;
  return `${notes}\n\n${table(['what', 'streams', 'median | min–max', '× the cost'], rows)}`;
}

/** What using two logs at these URLs costs, filled with so many streams each. */
export async function used(
  few: string,
  many: string,
  [fewCount, manyCount]: readonly [few: number, many: number],
  effort: Effort,
): Promise<string[][]> {
  await using fewConn = await connect(few);
  await using manyConn = await connect(many);
  const logs: readonly Log[] = [
    { name: short(fewCount), conn: fewConn, pick: picker(fewCount) },
    { name: `${short(fewCount)} of ${short(manyCount)}`, conn: manyConn, pick: picker(fewCount) },
    { name: short(manyCount), conn: manyConn, pick: picker(manyCount) },
  ];
  const works: readonly (readonly [name: string, isRate: boolean, work: (log: Log) => Promise<number>])[] = [
    ['publish, 1 in flight, events/s', true, (log) => publish(log, 1, part(effort, 1000))],
    ['publish, 1,000 in flight, events/s', true, (log) => publish(log, inFlight, part(effort, 100_000))],
    ['head, µs', false, (log) => heads(log, part(effort, 20_000))],
    ['read the last event of a stream, µs', false, (log) => reads(log, part(effort, 5000))],
    ['subscription to bench.*, events/s', true, subscription],
  ];
  const rows: string[][] = [];
  for (const [name, isRate, work] of works) {
    const chosen = work === subscription ? logs.filter(({ conn }, i) => conn === fewConn || i > 1) : logs;
    const contenders = chosen.map((log) => ({ name: log.name, round: () => work(log) }));
    rows.push(...compare(name, await measure(contenders, effort), isRate));
  }
  return rows;
}

/** Megabytes of objects that an open log holds once so many heads were asked for and a subscription has had all events. */
export async function held(url: string, count: number, heads: number): Promise<number> {
  const before = megabytes();
  await using conn = await connect(url);
  const pick = picker(count);
  for (let i = 0; i < heads; i++) await conn.head(background, pick());
  const subscription = await conn.subscribe('bench.*', () => {}, { backfill: true });
  await subscription.caughtUp(background);
  return megabytes() - before;
}

interface Log {
  readonly name: string;
  readonly conn: Conn;
  /** Some stream, another each time. */
  readonly pick: () => string;
}

function compare(name: string, measured: readonly Measured[], isRate: boolean): string[][] {
  const [few] = measured;
  return measured.map((way) => {
    const cost = few === undefined ? Number.NaN : isRate ? ratio(few, way) : ratio(way, few);
    return [name, way.name, summary(way), cost.toFixed(2)];
  });
}

/** Publishes events to so many streams in turn. */
export async function fill(url: string, count: number, events: number): Promise<void> {
  await using conn = await connect(url);
  let next = 0;
  const publisher = async () => {
    while (next < events) {
      const n = next++;
      await conn.publish(background, `bench.${n % count}`, toEvent(letter(n % count, n)));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, publisher));
}

function opening(file: string): Contender {
  return {
    name: basename(file, '.db'),
    async round() {
      return 1000 * (await seconds(async () => await (await connect(`sqlite:${file}`)).close()));
    },
  };
}

/** The same streams in the same order in every run; all of them exist. */
function picker(count: number): () => string {
  const next = numbersBelow(count);
  return () => `bench.${next()}`;
}

async function publish({ conn, pick }: Log, publishers: number, count: number): Promise<number> {
  let left = count;
  const publisher = async () => {
    while (left-- > 0) await conn.publish(background, pick(), toEvent(letter(0, left)));
  };
  return count / (await seconds(async () => void (await Promise.all(Array.from({ length: publishers }, publisher)))));
}

async function heads({ conn, pick }: Log, count: number): Promise<number> {
  const time = await seconds(async () => {
    for (let i = 0; i < count; i++) if ((await conn.head(background, pick())) === null) throw new Error('no head');
  });
  return (time * 1e6) / count;
}

async function reads({ conn, pick }: Log, count: number): Promise<number> {
  const time = await seconds(async () => {
    for (let i = 0; i < count; i++) await first(conn, pick(), { backwards: true });
  });
  return (time * 1e6) / count;
}

async function first(
  conn: Conn,
  selector: string,
  options: { after?: EventId; backwards?: boolean },
): Promise<EventId> {
  for await (const { id } of conn.read(background, selector, { ...options, limit: 1 })) return id;
  throw new Error(`${selector} has no event there`);
}

let subscriptions = 0;

async function subscription({ conn }: Log): Promise<number> {
  let count = 0;
  const time = await seconds(async () => {
    const options = { name: `all ${subscriptions++}`, durable: true, backfill: true };
    const subscription = await conn.subscribe('bench.*', () => void count++, options);
    await subscription.caughtUp(background);
    await subscription.unsubscribe();
  });
  return count / time;
}

async function longLog(rounds: number): Promise<string> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'long.db');
  const places = await fillLong(file);
  const [opened] = await measure([opening(file)], { rounds });
  if (opened === undefined) throw new Error('nothing measured');
  const rows = [['open and close, ms', summary(opened)]];
  await using conn = await connect(`sqlite:${file}`);
  for (const selector of ['>', 'bench.7']) {
    for (const [share, after] of places) {
      const times: number[] = [];
      for (let i = 0; i < 201; i++) {
        times.push(1e6 * (await seconds(async () => void (await first(conn, selector, { after })))));
      }
      rows.push([`${selector}: the event after one at ${share} %, µs, p50`, `${short(median(times))} | `]);
    }
  }
  const size = short(statSync(file).size / 1e9);
  return `${short(manyEvents)} events of 1,000 streams, ${size} GB.\n\n${table(['what', 'median | min–max'], rows)}`;
}

/** Returns events at some places of the log: how many percent of it come before each. */
async function fillLong(file: string): Promise<[share: number, id: EventId][]> {
  await using conn = await connect(`sqlite:${file}`);
  const places: [number, EventId][] = [];
  const commit = 1000;
  let next = 0;
  const publisher = async () => {
    while (next < manyEvents / commit) {
      const n = next++;
      const batch = Array.from({ length: commit }, (_, i) => toEvent(letter(n % 1000, n * commit + i)));
      const ids = await conn.publishAll(background, `bench.${n % 1000}`, batch);
      const share = (n * commit * 100) / manyEvents;
      if ([0, 50, 90].includes(share)) places.push([share, ids[0] as EventId]);
    }
  };
  await Promise.all(Array.from({ length: 10 }, publisher));
  return places;
}

function megabytes(): number {
  return heap() / 1e6;
}
