import { setTimeout } from 'node:timers/promises';
import { now } from './child.ts';
import { rawServer } from './grpcraw.ts';
import { samovarServer } from './grpcsamovar.ts';
import { heap } from './heap.ts';

/** A server of the events of two repositories: one that has many, and one that is watched. */
export interface Serving {
  readonly url: string;
  /** Sends one more event to those who watch. */
  publish(): Promise<void>;
}

/** Milliseconds until what was closed is gone. */
const settling = 100;

const answers: Readonly<Record<string, () => Promise<unknown>>> = {
  /** Bytes. */
  heap: async () => {
    heap();
    await setTimeout(settling);
    return heap();
  },
  /** When it began. */
  publish: async () => {
    const began = now();
    await serving.publish();
    return began;
  },
};

const [way, from = '', count] = process.argv.slice(2);
const serving: Serving = way === 'raw' ? await rawServer(from) : await samovarServer(from, Number(count));
process.once('disconnect', () => process.exit());
process.on('message', (question) => void answers[String(question)]?.().then((answer) => process.send?.(answer)));
process.send?.(serving.url);
