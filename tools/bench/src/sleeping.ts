import { setImmediate } from 'node:timers/promises';
import { type ActivityHandle, type EntityEvents, endOfStream } from '@samovar/activity';
import { connEntityEvents } from '@samovar/activityimpl';
import { background } from '@samovar/context';
import type { Uuid } from '@samovar/repos';
import { type Entities, engineOf, makeEntities, type Run, startAll, streamOf } from './entities.ts';
import { heap } from './heap.ts';
import { type Effort, measure, part, percentile, Several, seconds, short, summary, table } from './measure.ts';
import { numbersBelow } from './numbers.ts';
import { toEvent } from './publishers.ts';
import { letter } from './rawlog.ts';

/** Activities that have nothing to do: what starting, keeping and waking them costs. */
export async function sleeping(effort: Effort): Promise<string> {
  const sends = part(effort, 1000);
  const [fewer, more] = [part(effort, 1000), part(effort, 100_000)];
  await using unwatched = await makeEntities(fewer, 1);
  await using few = await rested(fewer);
  await using many = await rested(more);
  const handler = subscription(unwatched, sends);
  const sleepers = [few, many].map((entities) => activities(entities, sends));
  await measure([handler, ...sleepers], effort);
  const costs = sleepers.flatMap((way) => [
    [way.name, 'until all have their leases, s', summary(way.of('started', effort))],
    [way.name, 'until all heads are compared, s', summary(way.of('compared', effort))],
  ]);
  const last = sleepers.at(-1) as Sleepers;
  costs.push([last.name, 'heap of each, bytes', summary(last.of('heap', effort))]);
  const delays = [handler, ...sleepers].map((way) => [
    way.name,
    summary(way.of('p50', effort)),
    summary(way.of('p99', effort)),
  ]);
  const notes = `${sends} events in a round, one at a time, of entities picked at random; from the acknowledgement of publish to the call of the handler.`;
  const head = ['woken', 'µs p50, median | min–max', 'µs p99, median | min–max'];
  return `${table(['sleeping', 'what', 'median | min–max'], costs)}\n\n${notes}\n\n${table(head, delays)}`;
}

type Sleepers = Several<'started' | 'compared' | 'heap' | 'p50' | 'p99'>;

/** So many repositories of whose only event the activities are through. */
async function rested(count: number): Promise<Entities> {
  const entities = await makeEntities(count, 1);
  await using engine = engineOf(entities);
  const handles = await startAll(engine, entities, toEnd(), name);
  while (handles.some((handle) => handle.status().tail === null)) await setImmediate();
  await engine.stop(graceMs);
  return entities;
}

const name = 'sleeper';
/** For giving back all leases. */
const graceMs = 120_000;

/** Goes through what is there; calls `began` first. */
function toEnd(began = () => {}): Run {
  return async (_ctx, _repoId, tail, events) => {
    began();
    let last = tail;
    for await (const { id } of events) last = id;
    return endOfStream(last);
  };
}

function subscription(entities: Entities, sends: number): Several<'p50' | 'p99'> {
  return new Several('handler of a subscription to repos.*', async () => {
    const ear = new Ear();
    const subscription = await entities.conn.subscribe('repos.*', () => ear.hear(), { name: 'bare' });
    const delays = await delaysOf(entities, sends, ear, () => setImmediate());
    await subscription.unsubscribe();
    return delays;
  });
}

function activities(entities: Entities, sends: number): Sleepers {
  const count = entities.repoIds.length;
  return new Several(`${short(count)} lazy activities`, async () => {
    const heads = new ObservedHeads(connEntityEvents(entities.conn));
    const ear = new Ear();
    const before = heap();
    await using engine = engineOf(entities, heads.events);
    let handles: readonly ActivityHandle[] = [];
    const run = toEnd(() => ear.hear());
    const started = await seconds(async () => {
      handles = await startAll(engine, entities, run, name);
    });
    const compared = started + (await seconds(() => heads.compared()));
    const heapEach = (heap() - before) / count;
    if (handles.some((handle) => handle.status().state !== 'sleeping')) throw new Error('not all are asleep');
    const asleep = async (at: number) => {
      while (handles[at]?.status().state !== 'sleeping') await setImmediate();
    };
    const delays = await delaysOf(entities, sends, ear, asleep);
    await engine.stop(graceMs);
    return { started, compared, heap: heapEach, ...delays };
  });
}

/** Publishes one event after another, and waits for what hears of it, and for what that has left to do. */
async function delaysOf(
  { conn, repoIds }: Entities,
  sends: number,
  ear: Ear,
  settled: (at: number) => Promise<unknown>,
): Promise<{ p50: number; p99: number }> {
  const pick = numbersBelow(repoIds.length);
  const times: number[] = [];
  for (let n = 0; n < sends; n++) {
    const at = pick();
    const heard = ear.heard();
    await conn.publish(background, streamOf(repoIds[at] as Uuid), toEvent(letter(0, n)));
    const acknowledged = performance.now();
    times.push(1000 * Math.max(0, (await heard) - acknowledged));
    await settled(at);
  }
  return { p50: percentile(times, 50), p99: percentile(times, 99) };
}

/** Knows when it was spoken to. */
class Ear {
  #heard: (at: number) => void = () => {};

  /** Resolves with the time at which it hears next, in milliseconds. */
  heard(): Promise<number> {
    return new Promise((resolve) => {
      this.#heard = resolve;
    });
  }

  hear(): void {
    this.#heard(performance.now());
  }
}

/** Knows when a lazy engine is through with comparing heads. */
class ObservedHeads {
  readonly events: EntityEvents;
  #asked = 0;

  constructor(events: EntityEvents) {
    this.events = {
      open: (...args) => events.open(...args),
      signals: (...args) => events.signals(...args),
      head: (...args) => this.#while(events.head(...args)),
      heads: (...args) => this.#through(events.heads(...args)),
    };
  }

  async compared(): Promise<void> {
    while (this.#asked > 0) await setImmediate();
  }

  async #while<T>(work: Promise<T>): Promise<T> {
    this.#asked++;
    try {
      return await work;
    } finally {
      this.#asked--;
    }
  }

  async *#through<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    this.#asked++;
    try {
      yield* items;
    } finally {
      this.#asked--;
    }
  }
}
