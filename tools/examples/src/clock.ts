import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '@samovar/context';
import { type Conn, dataOf, newEvent } from '@samovar/eda';
import { event } from '@samovar/message';
import { z } from 'zod';

const Ticked = event('clock.Ticked', z.object({ beat: z.int().positive() }));
const Tocked = event('clock.Tocked', z.object({ beat: z.int().positive() }));

/**
 * Ticks so many times; whoever follows the ticks tocks, and because it publishes while it handles a tick, the tock names
 * it as its cause. Prints both as they come from the log, and returns when the last tock did.
 */
export async function clock(
  ctx: Context,
  conn: Conn,
  print: (line: string) => void,
  { beats, everyMs }: { readonly beats: number; readonly everyMs: number },
): Promise<void> {
  const done = Promise.withResolvers<void>();
  await using _tocker = await conn.subscribe('clock.ticks', async (ctx, tick) => {
    await conn.publish(ctx, 'clock.tocks', newEvent(Tocked, dataOf(Ticked, tick)));
  });
  await using _printer = await conn.subscribe('clock.*', (_ctx, each) => {
    const { beat } = each.is(Ticked.name) ? dataOf(Ticked, each) : dataOf(Tocked, each);
    print(each.is(Ticked.name) ? `tick ${beat}` : `tock ${beat}, because of ${each.cause}`);
    if (each.is(Tocked.name) && beat === beats) done.resolve();
  });
  for (let beat = 1; beat <= beats; beat++) {
    await conn.publish(ctx, 'clock.ticks', newEvent(Ticked, { beat }));
    if (beat < beats) await delay(everyMs, undefined, { signal: ctx.signal });
  }
  await done.promise;
}
