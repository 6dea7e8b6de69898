import { type Effort, measure, part, ratio, summary, table } from './measure.ts';
import { delaysOf, rawPublisher, samovarPublisher } from './publishers.ts';
import type { Indexing, RawWork } from './rawlog.ts';

interface Work extends RawWork {
  readonly name: string;
  readonly limits: readonly Indexing[];
}

/** Of so many, about 70 % are indexed at the end, by edasqlite and by the raw way that indexes in bulk. */
const events = 280_000;
const inFlight = 1000;
const works: readonly Work[] = [
  {
    name: 'a stream each',
    inFlight,
    events,
    isDistinct: true,
    isGuarded: false,
    limits: ['in bulk', 'never'],
  },
  { name: 'one stream', inFlight, events, isDistinct: false, isGuarded: false, limits: ['in bulk'] },
  {
    name: 'a stream each, key and expectedHead',
    inFlight,
    events,
    isDistinct: true,
    isGuarded: true,
    limits: ['in bulk'],
  },
];
/** A thousand durable publishes in flight, next to batches of a thousand by hand; and what the event loop makes of it. */
export async function burst(effort: Effort): Promise<string> {
  const rows: string[][] = [];
  for (const work of works) {
    rows.push(...(await compare({ ...work, events: part(effort, work.events, inFlight) }, effort.rounds)));
  }
  const notes = '1,000 in flight; a payload is 100 characters of JSON. WAL, synchronous=FULL.';
  const delay = 'event-loop delay p99 in ms, median | min–max';
  return `${notes}\n\n${table(['streams', 'way', 'events/s, median | min–max', '× indexed in bulk', delay], rows)}`;
}

async function compare(work: Work, rounds: number): Promise<string[][]> {
  const raws = work.limits.map((indexing) => rawPublisher(work, indexing));
  const contenders = [...raws, samovarPublisher(work)];
  const measured = await measure(contenders, { rounds });
  const [limit] = measured;
  if (limit === undefined) throw new Error('nothing measured');
  return contenders.map((contender, i) => {
    const way = measured[i] ?? limit;
    return [work.name, way.name, summary(way), ratio(way, limit).toFixed(2), summary(delaysOf(contender, rounds))];
  });
}
