import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { background } from '@samovar/context';
import { connect } from '@samovar/edaimpl';
import {
  type Contender,
  type Effort,
  measure,
  part,
  ratio,
  seconds,
  short,
  summary,
  type Time,
  table,
} from './measure.ts';
import { toEvent } from './publishers.ts';
import { type Letter, letter } from './rawlog.ts';
import { temporaryFolder } from './temporary.ts';

const publishers = 100;
const commitSize = 100;
const pageSize = 1000;

/** A durable subscription that handles a log from its beginning, next to reading it page by page by hand. */
export async function catchup(effort: Effort): Promise<string> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'events.db');
  const events = part(effort, 100_000, commitSize);
  await fill(file, events);
  const ways = [
    rawPages(file, events),
    durableSubscription(file, '>', events),
    durableSubscription(file, 'bench.*', events),
  ];
  const measured = await measure(ways, effort);
  const [raw] = measured;
  const rows = measured.map((way) => [way.name, summary(way), raw ? ratio(way, raw).toFixed(2) : '']);
  const notes = `${short(events)} events of ${publishers} streams; each payload is decoded: 100 characters of JSON.`;
  return `${notes}\n\n${table(['way', 'events/s, median | min–max', '× raw'], rows)}`;
}

/** Stores what `durableSubscription` reads: whole commits of 100. */
export async function fill(file: string, events: number): Promise<void> {
  await using conn = await connect(`sqlite:${file}`);
  for (let n = 0; n < events; n += commitSize) {
    const publisher = (n / commitSize) % publishers;
    const batch = Array.from({ length: commitSize }, (_, i) => toEvent(letter(publisher, n + i)));
    await conn.publishAll(background, `bench.${publisher}`, batch);
  }
}

function rawPages(file: string, events: number): Contender {
  return reading(`raw node:sqlite, ${short(pageSize)} rows a page, JSON.parse`, events, async (take, time) => {
    const db = new DatabaseSync(file);
    const statement = db.prepare('SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?');
    statement.setReturnArrays(true);
    const data = 4;
    await time(async () => {
      for (let after = 0, rows: unknown[][] = []; ; after = rows.at(-1)?.[0] as number) {
        rows = statement.all(after, pageSize) as unknown as unknown[][];
        for (const row of rows) take(JSON.parse(row[data] as string) as Letter);
        if (rows.length < pageSize) break;
      }
    });
    db.close();
  });
}

/** In a file of `fill`, with so many events. */
export function durableSubscription(file: string, selector: string, events: number): Contender {
  let round = 0;
  return reading(`durable subscription to ${selector}, data.json()`, events, async (take, time) => {
    await using conn = await connect(`sqlite:${file}`);
    const options = { name: `${selector} ${round++}`, durable: true, backfill: true };
    await time(async () => {
      const subscription = await conn.subscribe(selector, (_, event) => take(event.data.json<Letter>()), options);
      await subscription.caughtUp(background);
    });
  });
}

/** `read` hands every letter to `take`, and has `time` run what counts. */
export function reading(
  name: string,
  count: number,
  read: (take: (letter: Letter) => void, time: Time) => Promise<void>,
): Contender {
  return {
    name,
    async round() {
      let [sum, taken] = [0, 0];
      const take = ({ n }: Letter) => {
        sum += n;
      };
      await read(take, async (work) => {
        taken = await seconds(work);
      });
      if (sum !== (count * (count - 1)) / 2) throw new Error(`${name} came to ${sum}`);
      return count / taken;
    },
  };
}
