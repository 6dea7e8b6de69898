import { setTimeout as delay } from 'node:timers/promises';
import { background as ctx } from '@samovar/context';
import type { EventId } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { Ledger } from './ledger.ts';
import { selector } from './load.ts';
import { Program } from './program.ts';

export interface CrashOptions {
  readonly url: string;
  readonly rounds: number;
  /** Told after each round what was killed. */
  readonly onRound?: (round: number, killed: readonly string[]) => void;
}

export interface Survived {
  readonly published: number;
  /** Events that were handled more than once. */
  readonly repeated: number;
}

const publishers = ['p1', 'p2'];
const subscribers = ['s1', 's2'];
/** Milliseconds that all live side by side, at most. */
const longestRound = 150;

/**
 * Lets publishers and subscribers work on the log at `url`, kills some of them with SIGKILL in each round, at a random
 * instant, and starts them anew. At last all finish, and the log is held against what they said.
 *
 * @throws {Error} if anything acknowledged is lost, stored twice, out of order or was not handled, or if an id was given
 * out twice.
 */
export async function crash({ url, rounds, onRound }: CrashOptions): Promise<Survived> {
  const ledger = new Ledger();
  let broken: Error | undefined;
  const noting = (note: () => void) => {
    try {
      note();
    } catch (error) {
      broken ??= error as Error;
    }
  };
  const running = new Map<string, Program>();
  const start = (name: string) => {
    const program = publishers.includes(name)
      ? new Program('publisher.ts', [url, name, String(ledger.nextOf(name))], (line) => {
          const { n, id } = line as { n: number; id: EventId };
          noting(() => ledger.acknowledged(name, n, id));
        })
      : new Program('subscriber.ts', [url], (line) => {
          const { id, stream } = line as { id: EventId; stream: string };
          noting(() => ledger.handled(id, stream));
        });
    running.set(name, program);
  };
  const startMissing = () => {
    for (const name of [...publishers, ...subscribers]) if (!running.has(name)) start(name);
  };
  const those = (names: readonly string[]) => names.flatMap((name) => running.get(name) ?? []);
  try {
    for (let round = 1; round <= rounds; round++) {
      startMissing();
      await Promise.all(those(publishers).map((program) => program.begun()));
      await delay(Math.random() * longestRound);
      const killed = victims([...running.keys()]);
      await Promise.all(those(killed).map((program) => program.kill()));
      for (const name of killed) running.delete(name);
      if (broken !== undefined) throw broken;
      onRound?.(round, killed);
    }
    startMissing();
    await Promise.all(those(publishers).map((program) => program.begun()));
    await Promise.all(those(publishers).map((program) => program.finish()));
    await Promise.all(those(subscribers).map((program) => program.finish()));
    running.clear();
  } finally {
    await Promise.all([...running.values()].map((program) => program.kill()));
  }
  if (broken !== undefined) throw broken;
  await using conn = await connect(url, { logger: null });
  await ledger.settle(conn.read(ctx, selector));
  return { published: ledger.published, repeated: ledger.repeated };
}

/** At least one, at random. */
function victims(names: readonly string[]): string[] {
  const chosen = names.filter(() => Math.random() < 0.4);
  return chosen.length > 0 ? chosen : [names[Math.floor(Math.random() * names.length)] as string];
}
