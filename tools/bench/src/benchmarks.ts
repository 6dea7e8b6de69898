import { activities } from './activities.ts';
import { burst } from './burst.ts';
import { catchup } from './catchup.ts';
import { dispatch } from './dispatch.ts';
import { emmett } from './emmett.ts';
import { grpc } from './grpc.ts';
import { history } from './history.ts';
import { latency } from './latency.ts';
import type { Effort } from './measure.ts';
import { nats } from './nats.ts';
import { natsScale } from './natsscale.ts';
import { publish } from './publish.ts';
import { scale } from './scale.ts';

export interface Benchmark {
  readonly about: string;
  /** Its result as Markdown. */
  readonly run: (effort: Effort) => Promise<string>;
}

export const benchmarks: Readonly<Record<string, Benchmark>> = {
  dispatch: { about: 'bus.dispatch against Map lookup + await and @nestjs/cqrs', run: dispatch },
  publish: { about: 'durable publishes, 1 to 100 in flight, against raw node:sqlite batches', run: publish },
  burst: { about: 'the same with 1,000 in flight, and the delay of the event loop', run: burst },
  emmett: { about: 'durable publishes against emmett-sqlite, which --peers finds', run: emmett },
  catchup: { about: 'a durable subscription through a whole log against raw paged reads', run: catchup },
  latency: { about: 'from publish to handler against one raw commit', run: latency },
  nats: { about: 'publish, catch-up and latency on JetStream against its own client', run: nats },
  activities: { about: 'lazy activities: 100,000 asleep, and runs with stored tails', run: activities },
  grpc: { about: 'events to one reader and to 1,000 watchers against grpc-js', run: grpc },
  history: { about: 'recording a git history against a bare script', run: history },
};

/** They take minutes. */
export const longBenchmarks: Readonly<Record<string, Benchmark>> = {
  scale: { about: '1,000 against 1,000,000 streams, and a log of 10,000,000 events', run: scale },
  natsscale: { about: '1,000 against 200,000 streams on JetStream', run: natsScale },
};
