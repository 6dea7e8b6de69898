import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { durableSubscription, fill, reading } from './catchup.ts';
import { type Contender, type Effort, measure, ratio, summary, table } from './measure.ts';
import { intoNewFile, type Publisher, samovarPublisher } from './publishers.ts';
import { type Letter, letter } from './rawlog.ts';
import { temporaryFolder } from './temporary.ts';

// It needs sqlite3, which is compiled where its prebuilt binaries cannot be had: too much for every install of this workspace.
const [emmettPackage, sqlitePackage, driver] = ['@event-driven-io/emmett', '@event-driven-io/emmett-sqlite', 'sqlite3'];
const versions = '0.38.5';
const install = `npm install --prefix <folder> ${emmettPackage}@${versions} ${sqlitePackage}@${versions} ${driver}@5.1.7`;

/** Events that the peer's consumer handles in a round, and ours. */
const consumed = 5000;
const ownConsumed = 100_000;

/** Of the peer, what is called here. */
interface Emmett {
  sqliteConnection(options: { fileName: string }): Connection;
  createEventStoreSchema(connection: Connection): Promise<void>;
  appendToStream(connection: Connection, stream: string, type: string, events: unknown[]): Promise<unknown>;
  getSQLiteEventStore(options: { fileName: string }): Store;
}

interface Store {
  consumer(options: { pulling: { batchSize: number; pullingFrequencyInMs: number } }): Consumer;
}

interface Consumer {
  processor(options: {
    processorId: string;
    startFrom: 'BEGINNING';
    eachMessage(event: { data: Letter }): void;
    stopAfter(event: { data: Letter }): boolean;
  }): void;
  start(): Promise<void>;
  close(): Promise<void>;
}

interface Connection {
  close(): void;
  querySingle<T>(sql: string): Promise<T | null>;
}

/** Durable publishes next to the peer's, in flight on one connection of its, as it is and one after the other. */
export async function emmett({ rounds, peers: folder }: Effort): Promise<string> {
  if (folder === undefined) return `Not measured: --peers <folder> tells where the peer is, after\n\n    ${install}`;
  const peer = await load(folder);
  const rows: string[][] = [];
  for (const [inFlight, events] of [
    [1, 1000],
    [100, 2000],
  ] as const) {
    rows.push(...(await compare(peer, inFlight, events, rounds)));
  }
  const head = ['in flight', 'way', 'events/s, median | min–max', '× emmett-sqlite', '× one after the other'];
  const found = [emmettPackage, sqlitePackage, driver].map((name) => `${name} ${versionOf(folder, name)}`).join(', ');
  const notes = `${found}; WAL, synchronous=FULL in both. Publishers have a stream each.`;
  return `${notes}\n\n${table(head, rows)}\n\n${await catchUp(peer, rounds)}`;
}

/** Handling a log from its beginning: the peer's consumer looks for more each millisecond, not each 50 as by default. */
async function catchUp(peer: Emmett, rounds: number): Promise<string> {
  await using folder = await temporaryFolder();
  const [theirs, ours] = [join(folder.path, 'theirs.db'), join(folder.path, 'ours.db')];
  await fill(ours, ownConsumed);
  const connection = peer.sqliteConnection({ fileName: theirs });
  await peer.createEventStoreSchema(connection);
  const letters = Array.from({ length: consumed }, (_, n) => ({ type: 'bench.LetterSent', data: letter(0, n) }));
  // SQLite's limit of variables in one statement is its limit of events in one append.
  for (let n = 0; n < consumed; n += 500) {
    await peer.appendToStream(connection, 'bench-0', 'bench', letters.slice(n, n + 500));
  }
  connection.close();
  const measured = await measure([consumer(peer, theirs), durableSubscription(ours, 'bench.*', ownConsumed)], {
    rounds,
  });
  const [limit] = measured;
  const rows = measured.map((way) => [way.name, summary(way), limit ? ratio(way, limit).toFixed(2) : '']);
  return table(['catching up', 'events/s, median | min–max', '× emmett-sqlite'], rows);
}

function consumer(peer: Emmett, fileName: string): Contender {
  let round = 0;
  return reading('emmett-sqlite, consumer', consumed, async (take, time) => {
    const consumer = peer
      .getSQLiteEventStore({ fileName })
      .consumer({ pulling: { batchSize: 1000, pullingFrequencyInMs: 1 } });
    consumer.processor({
      processorId: `catch-up-${round++}`,
      startFrom: 'BEGINNING',
      eachMessage: ({ data }) => take(data),
      stopAfter: ({ data }) => data.n === consumed - 1,
    });
    await time(() => consumer.start());
    await consumer.close();
  });
}

async function load(folder: string): Promise<Emmett> {
  const file = join(resolve(folder), 'node_modules', sqlitePackage, 'dist/index.js');
  return (await import(pathToFileURL(file).href)) as Emmett;
}

function versionOf(folder: string, name: string): string {
  const text = readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function compare(peer: Emmett, inFlight: number, events: number, rounds: number): Promise<string[][]> {
  const many = events * (inFlight === 1 ? 2 : 25);
  const contenders = [
    emmettPublisher(peer, inFlight, events, false),
    emmettPublisher(peer, inFlight, events, true),
    samovarPublisher({ inFlight, events: many, isDistinct: true, isGuarded: false }),
  ];
  const measured = await measure(contenders, { rounds });
  return measured.map((way) => [
    String(inFlight),
    way.name,
    summary(way),
    ...measured.slice(0, 2).map((limit) => ratio(way, limit).toFixed(2)),
  ]);
}

/**
 * What is in flight at once on one of the peer's connections shares a transaction, which is committed once nothing is
 * in flight any more: appends are answered before they are durable. `inTurn` gives each its own commit.
 */
function emmettPublisher(peer: Emmett, inFlight: number, events: number, inTurn: boolean): Publisher {
  const name = inTurn ? 'emmett-sqlite, one after the other' : 'emmett-sqlite, one connection, as it is';
  return intoNewFile(name, events, async (file, time) => {
    const connection = peer.sqliteConnection({ fileName: file });
    await peer.createEventStoreSchema(connection);
    const { synchronous } = (await connection.querySingle<{ synchronous: number }>('PRAGMA synchronous')) ?? {};
    if (synchronous !== 2) throw new Error(`the peer's synchronous is ${synchronous}, not FULL`);
    let turn: Promise<unknown> = Promise.resolve();
    const append = (publisher: number, n: number) =>
      peer.appendToStream(connection, `bench-${publisher}`, 'bench', [
        { type: 'bench.LetterSent', data: letter(publisher, n) },
      ]);
    const publish = (publisher: number, n: number) => {
      if (!inTurn) return append(publisher, n);
      turn = turn.then(() => append(publisher, n));
      return turn;
    };
    await time(async () => {
      const publishers = Array.from({ length: inFlight }, async (_, publisher) => {
        for (let n = 0; n < events / inFlight; n++) await publish(publisher, n);
      });
      await Promise.all(publishers);
    });
    const stored = await connection.querySingle<{ count: number }>('SELECT count(*) AS count FROM emt_messages');
    if (stored?.count !== events) throw new Error(`${name} stored ${stored?.count} of ${events} events`);
    connection.close();
  });
}
