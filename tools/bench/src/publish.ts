import { type Effort, measure, part, ratio, summary, table } from './measure.ts';
import { rawPublisher, samovarPublisher } from './publishers.ts';
import type { RawWork } from './rawlog.ts';

const works: readonly RawWork[] = [
  { inFlight: 1, events: 2_000, isDistinct: true, isGuarded: false },
  { inFlight: 10, events: 5_000, isDistinct: true, isGuarded: false },
  { inFlight: 100, events: 50_000, isDistinct: true, isGuarded: false },
];

/** Durable publishes, each awaited by its publisher, next to batches of the same size by hand. */
export async function publish(effort: Effort): Promise<string> {
  const rows: string[][] = [];
  for (const work of works) {
    rows.push(...(await compare({ ...work, events: part(effort, work.events, work.inFlight) }, effort.rounds)));
  }
  const notes = 'Publishers have a stream each; a payload is 100 characters of JSON. WAL, synchronous=FULL.';
  const ratios = ['× indexed each batch', '× indexed in bulk', '× not indexed'];
  return `${notes}\n\n${table(['in flight', 'way', 'events/s, median | min–max', ...ratios], rows)}`;
}

async function compare(work: RawWork, rounds: number): Promise<string[][]> {
  const raws = [rawPublisher(work, 'each batch'), rawPublisher(work, 'in bulk'), rawPublisher(work, 'never')];
  const measured = await measure([...raws, samovarPublisher(work)], { rounds });
  const limits = measured.slice(0, raws.length);
  return measured.map((way) => [
    String(work.inFlight),
    way.name,
    summary(way),
    ...limits.map((limit) => ratio(way, limit).toFixed(2)),
  ]);
}
