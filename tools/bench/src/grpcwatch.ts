import { fromBinary } from '@bufbuild/protobuf';
import { canceled } from '@samovar/activity';
import { MemoryLeases } from '@samovar/activitycore';
import { EagerEngine } from '@samovar/activityeager';
import { connectEntities } from '@samovar/activitygrpc';
import { ReposEventsResponseSchema } from '@samovar/api/entities/v1/repos';
import { background } from '@samovar/context';
import { type Child, now } from './child.ts';
import { rawClient, rawEvents, watchedRepo } from './grpcwire.ts';
import { type Effort, measure, part, percentile, ratio, Several, short, summary, table } from './measure.ts';
import { silent } from './services.ts';

/** Calls `received` for each event that one of so many watchers gets, until it is disposed. */
type Watch = (url: string, watchers: number, received: () => void) => Promise<AsyncDisposable>;
type Watching = Several<'p50' | 'p99' | 'heap'>;

/** The heap of fewer would drown in what else comes and goes. */
const fewest = 100;
/** Publishes that do not count. */
const warmUps = 10;

/** Many that watch one entity. A server lives for one round, as memory that it has got once stays with it. */
export async function watchers(
  startRaw: () => Promise<Child>,
  startSamovar: () => Promise<Child>,
  effort: Effort,
): Promise<string> {
  const [count, publishes] = [Math.max(fewest, part(effort, 1000)), part(effort, 200)];
  const raw = watching('grpc-js, one message ready to be sent', startRaw, watchRaw, count, publishes);
  const samovar = watching(
    'samovar, published durably; eager activities',
    startSamovar,
    watchEagerly,
    count,
    publishes,
  );
  await measure([raw, samovar], { ...effort, warmUps: 0 });
  const ways = [raw, samovar];
  const delays = ways.map((way) => [way.name, summary(way.of('p50', effort)), summary(way.of('p99', effort))]);
  const limit = raw.of('heap', effort);
  const heaps = ways.map((way) => way.of('heap', effort));
  const memory = heaps.map((way) => [way.name, summary(way), ratio(way, limit).toFixed(2)]);
  const notes = `${short(count)} watchers of one repository over one connection, ${publishes} events in a round, one at a time: from publish to the last watcher.`;
  return [
    notes,
    table(['watched', 'ms p50, median | min–max', 'ms p99, median | min–max'], delays),
    table(['heap of the server for each, idle', 'bytes, median | min–max', '× raw'], memory),
  ].join('\n\n');
}

function watching(name: string, start: () => Promise<Child>, watch: Watch, count: number, publishes: number): Watching {
  return new Several(name, async () => {
    await using child = await start();
    const arrivals = new Arrivals();
    const open = async (watchers: number) => {
      const all = arrivals.next(watchers);
      const opened = await watch(child.url, watchers, () => arrivals.add());
      await all;
      return opened;
    };
    // What is needed once for all is not to be counted.
    await (await open(Math.ceil(count / 10)))[Symbol.asyncDispose]();
    const before = await child.ask<number>('heap');
    await using _ = await open(count);
    const heap = ((await child.ask<number>('heap')) - before) / count;
    const times: number[] = [];
    for (let n = -warmUps; n < publishes; n++) {
      const all = arrivals.next(count);
      const began = await child.ask<number>('publish');
      const time = (await all) - began;
      if (n >= 0) times.push(time);
    }
    return { p50: percentile(times, 50), p99: percentile(times, 99), heap };
  });
}

const watchRaw: Watch = async (url, watchers, received) => {
  const client = rawClient(url);
  const calls = Array.from({ length: watchers }, () => {
    const call = rawEvents(client, watchedRepo, true);
    call.on('data', (message: Buffer) => {
      for (const _ of fromBinary(ReposEventsResponseSchema, message).events) received();
    });
    // It fails when it is cancelled.
    call.on('error', () => {});
    return call;
  });
  return {
    async [Symbol.asyncDispose]() {
      for (const call of calls) call.cancel();
      client.close();
    },
  };
};

const watchEagerly: Watch = async (url, watchers, received) => {
  const connection = connectEntities(url, { logger: silent });
  const engine = new EagerEngine({ events: connection.events, leases: new MemoryLeases(), logger: silent });
  for (let n = 0; n < watchers; n++) {
    await engine.startRepoActivity(
      background,
      watchedRepo,
      async (_ctx, _repoId, tail, events) => {
        for await (const _ of events) received();
        return canceled(tail);
      },
      { name: `watcher-${n}` },
    );
  }
  return {
    async [Symbol.asyncDispose]() {
      await engine.stop();
      await connection.close();
    },
  };
};

/** Counts what comes. */
class Arrivals {
  #left = 0;
  #arrived: (at: number) => void = () => {};

  /** Resolves with the time at which so many have come. */
  next(count: number): Promise<number> {
    this.#left = count;
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  add(): void {
    this.#left--;
    if (this.#left === 0) this.#arrived(now());
  }
}
