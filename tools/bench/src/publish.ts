import { join } from 'node:path';
import { background } from '@samovar/context';
import { type Conn, Data, type EventId } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { type Contender, measure, ratio, seconds, summary, table } from './measure.ts';
import { type Indexing, type Letter, letter, type RawWork, rawPublish } from './rawlog.ts';
import { temporaryFolder } from './temporary.ts';

interface Work extends RawWork {
  readonly name: string;
}

/** Of so many, about 70 % are indexed at the end, by edasqlite and by the raw way that indexes in bulk. */
const many = 280_000;
const works: readonly Work[] = [
  { name: '1', inFlight: 1, events: 2_000, isGuarded: false },
  { name: '10', inFlight: 10, events: 5_000, isGuarded: false },
  { name: '100', inFlight: 100, events: 50_000, isGuarded: false },
  { name: '1,000', inFlight: 1000, events: many, isGuarded: false },
  { name: '1,000, key and expectedHead', inFlight: 1000, events: many, isGuarded: true },
];
/** Indexing with each batch is slow, and gets slower the more there is: it is let off with fewer events. */
const fewer = 100_000;

/** Durable publishes, each awaited by its publisher, next to batches of the same size by hand. */
export async function publish(rounds: number): Promise<string> {
  const rows: string[][] = [];
  for (const work of works) rows.push(...(await compare(work, rounds)));
  const notes = 'Publishers have a stream each; a payload is 100 characters of JSON. WAL, synchronous=FULL.';
  const ratios = ['× indexed each batch', '× indexed in bulk', '× not indexed'];
  return `${notes}\n\n${table(['in flight', 'way', 'events/s, median | min–max', ...ratios], rows)}`;
}

async function compare(work: Work, rounds: number): Promise<string[][]> {
  const raws = [
    raw({ ...work, events: Math.min(work.events, fewer) }, 'each batch'),
    raw(work, 'in bulk'),
    raw(work, 'never'),
  ];
  const measured = await measure([...raws, samovar(work)], { rounds });
  const limits = measured.slice(0, raws.length);
  return measured.map((way) => [
    work.name,
    way.name,
    summary(way),
    ...limits.map((limit) => ratio(way, limit).toFixed(2)),
  ]);
}

function raw(work: Work, indexing: Indexing): Contender {
  return intoNewFile(`raw node:sqlite, indexed ${indexing}`, work, (file) => rawPublish(file, work, indexing));
}

function samovar(work: Work): Contender {
  return intoNewFile('conn.publish', work, async (file) => {
    await using conn = await connect(`sqlite:${file}`);
    const letters = Math.floor(work.events / work.inFlight);
    return await seconds(async () => {
      const publishers = Array.from({ length: work.inFlight }, (_, publisher) =>
        work.isGuarded ? publishGuarded(conn, publisher, letters) : publishAll(conn, publisher, letters),
      );
      await Promise.all(publishers);
    });
  });
}

async function publishAll(conn: Conn, publisher: number, letters: number): Promise<void> {
  for (let n = 0; n < letters; n++) {
    await conn.publish(background, `bench.${publisher}`, toEvent(letter(publisher, n)));
  }
}

async function publishGuarded(conn: Conn, publisher: number, letters: number): Promise<void> {
  let expectedHead: EventId | null = null;
  for (let n = 0; n < letters; n++) {
    const options = { expectedHead, key: `letter-${publisher}-${n}` };
    expectedHead = await conn.publish(background, `bench.${publisher}`, toEvent(letter(publisher, n)), options);
  }
}

function toEvent(value: Letter) {
  return { type: 'bench.LetterSent', data: Data.json(value) };
}

/** `work` says how many seconds of its time count. */
function intoNewFile(name: string, { events }: Work, work: (file: string) => Promise<number>): Contender {
  return {
    name,
    async round() {
      await using folder = await temporaryFolder();
      return events / (await work(join(folder.path, 'events.db')));
    },
  };
}
