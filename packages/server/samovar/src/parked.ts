import { background } from '@samovar/context';
import type { Conn, EventId, ReplayOptions } from '@samovar/eda';
import { connectLog } from './build.ts';
import type { Config } from './config.ts';
import type { Output } from './output.ts';

/** Tells of the parked events of a subscription, or of all. @throws {LogNotFoundError} */
export async function listParked(config: Config, output: Output, subscription: string | undefined): Promise<void> {
  await using conn = await connectLog(config, null, false);
  let count = 0;
  for (const name of subscription === undefined ? await names(conn) : [subscription]) {
    for await (const { event, key, attempts, error, since, waiting } of conn.parked(name).list(background)) {
      count++;
      const behind = waiting.length > 0 ? `, ${waiting.length} waiting behind it` : '';
      const of = key === '' ? '' : ` (key ${key})`;
      output.line(`${name}: ${event.id} ${event.type} on ${event.stream}${of}${behind}`);
      output.line(`  parked ${since.toISOString()} after ${attempts} attempts: ${error}`);
    }
  }
  if (count === 0) output.line('nothing is parked');
}

/** Has `ids`, or all where there are none, handled again. @throws {LogNotFoundError} @throws as `ParkedEvents.replay` does. */
export async function replayParked(
  config: Config,
  output: Output,
  subscription: string,
  ids: readonly EventId[],
  options: ReplayOptions,
): Promise<void> {
  await using conn = await connectLog(config, null, false);
  const which = ids.length > 0 ? ids : 'all';
  const { events, from, to } = await conn.parked(subscription).replay(background, which, options);
  const does = options.dryRun ? 'would be' : 'will be';
  const times = from === null || to === null ? '' : `, of ${from.toISOString()} to ${to.toISOString()}`;
  output.line(`${events} events ${does} handled again${times}`);
}

/** Gives an event up. @throws {LogNotFoundError} @throws {NotParkedError} */
export async function skipParked(config: Config, output: Output, subscription: string, id: EventId): Promise<void> {
  await using conn = await connectLog(config, null, false);
  await conn.parked(subscription).skip(background, id);
  output.line(`skipped ${id}`);
}

async function names(conn: Conn): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of conn.subscriptions(background)) found.push(name);
  return found;
}
