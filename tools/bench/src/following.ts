import { setImmediate } from 'node:timers/promises';
import { endOfStream } from '@samovar/activity';
import { background } from '@samovar/context';
import { reading } from './catchup.ts';
import { type Entities, engineOf, makeEntities, type Run, startAll, streamOf } from './entities.ts';
import { type Contender, type Effort, measure, part, ratio, short, summary, table } from './measure.ts';
import type { Letter } from './rawlog.ts';

interface Work {
  /** Events of all repositories. */
  readonly events: number;
  /** Of one of them, which an activity goes through in one run. */
  readonly each: number;
}

const works: readonly Work[] = [
  { events: 200_000, each: 1000 },
  { events: 100_000, each: 10 },
  { events: 50_000, each: 1 },
];

/** Activities that go through what is there, one event at a time, and store how far they have come. */
export async function following(effort: Effort): Promise<string> {
  const rows: string[][] = [];
  for (const { events, each } of works) {
    const count = part(effort, events, each) / each;
    await using entities = await makeEntities(count, each);
    const measured = await measure([streams(entities, count * each), runs(entities, count * each)], effort);
    const [limit] = measured;
    const name = `${short(count)} of ${short(each)}`;
    rows.push(...measured.map((way) => [name, way.name, summary(way), limit ? ratio(way, limit).toFixed(2) : '']));
  }
  const notes =
    'Each payload is decoded: 100 characters of JSON. A run ends with the stream; its tail is stored before the next. Starts do not count.';
  return `${notes}\n\n${table(['repositories, events of each', 'way', 'events/s, median | min–max', '× read'], rows)}`;
}

function streams({ conn, repoIds }: Entities, events: number): Contender {
  return reading('conn.read, one stream after another', events, async (take, time) => {
    await time(async () => {
      for (const repoId of repoIds) {
        for await (const event of conn.read(background, streamOf(repoId))) take(event.data.json<Letter>());
      }
    });
  });
}

function runs(entities: Entities, events: number): Contender {
  let round = 0;
  return reading('lazy activities, a stored tail for each run', events, async (take, time) => {
    await using engine = engineOf(entities);
    const gate = Promise.withResolvers<void>();
    const run: Run = async (_ctx, _repoId, tail, events) => {
      await gate.promise;
      let last = tail;
      for await (const event of events) {
        take(event.data.json<Letter>());
        last = event.id;
      }
      return endOfStream(last);
    };
    const handles = await startAll(engine, entities, run, `round-${round++}`);
    while (handles.some((handle) => handle.status().state === 'sleeping')) await setImmediate();
    await time(async () => {
      gate.resolve();
      await engine.quiet();
    });
    if (handles.some((handle) => handle.status().tail === null)) throw new Error('a tail was not stored');
  });
}
