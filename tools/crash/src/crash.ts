import { setTimeout as delay } from 'node:timers/promises';
import { background as ctx } from '@samovar/context';
import { Crew } from './crew.ts';
import { Ledger } from './ledger.ts';
import { connected, selector } from './load.ts';
import type { Log } from './logs.ts';

export interface CrashOptions {
  readonly log: Log;
  readonly rounds: number;
  /** Told after each round who was killed. */
  readonly onRound?: (round: number, killed: readonly string[]) => void;
}

export interface Survived {
  readonly published: number;
  /** Events that were handled more than once. */
  readonly repeated: number;
}

/** Milliseconds that all live side by side, at most. */
const longestRound = 150;

/**
 * Lets publishers and subscribers work on a log, kills some of them and one server at most with SIGKILL in each round,
 * at a random instant, and starts them anew. At last all finish, and the log is held against what they said.
 *
 * @throws {Error} if anything acknowledged is lost, stored twice, out of order or was not handled, or if an id was given
 * out twice.
 */
export async function crash({ log, rounds, onRound }: CrashOptions): Promise<Survived> {
  const ledger = new Ledger();
  await using crew = new Crew(log.url, ledger);
  for (let round = 1; round <= rounds; round++) {
    await Promise.all([crew.work(), log.withstands()]);
    await delay(Math.random() * longestRound);
    const server = oneOf([...log.servers.keys()]);
    const killed = victims(server === undefined ? crew.names : [...crew.names, server]);
    await Promise.all(killed.map((name) => log.servers.get(name)?.stop('SIGKILL') ?? crew.kill(name)));
    await Promise.all(killed.map(async (name) => log.servers.get(name)?.start()));
    onRound?.(round, killed);
  }
  await crew.finish();
  await using conn = await connected(log.url);
  await ledger.settle(conn.read(ctx, selector));
  return { published: ledger.published, repeated: ledger.repeated };
}

/** At least one, at random. */
function victims(names: readonly string[]): readonly string[] {
  const chosen = names.filter(() => Math.random() < 0.5);
  return chosen.length > 0 ? chosen : [oneOf(names) as string];
}

function oneOf(names: readonly string[]): string | undefined {
  return names[Math.floor(Math.random() * names.length)];
}
