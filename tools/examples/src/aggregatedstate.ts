import type { Context } from '@samovar/context';
import { type Conn, dataOf, newEvent } from '@samovar/eda';
import { event } from '@samovar/message';
import { z } from 'zod';

const Counted = event('warehouse.Counted', z.object({ item: z.string(), change: z.int() }));

const producers = ['north', 'south'];
const items = ['cups', 'pots', 'spoons'];

/**
 * Two producers count what comes and goes in their warehouses, each on its own stream; one consumer keeps what there is
 * in both. It follows the streams from their beginning, so that it can throw its state away at any time: started again, it
 * counts the same, and what earlier runs have published besides. Prints the state when it has seen all there is.
 */
export async function aggregatedState(
  ctx: Context,
  conn: Conn,
  print: (line: string) => void,
  { changes }: { readonly changes: number },
): Promise<void> {
  const stock = new Map<string, number>();
  await using consumer = await conn.subscribe(
    'warehouse.*',
    (_ctx, each) => {
      const { item, change } = dataOf(Counted, each);
      stock.set(item, (stock.get(item) ?? 0) + change);
    },
    { name: 'aggregated-state', backfill: true },
  );
  await Promise.all(
    producers.map(async (warehouse, p) => {
      for (let i = 0; i < changes; i++) {
        const item = items[(i + p) % items.length] as string;
        await conn.publish(ctx, `warehouse.${warehouse}`, newEvent(Counted, { item, change: (i % 5) - 1 }));
      }
    }),
  );
  await consumer.caughtUp(ctx);
  for (const item of items) print(`${item}: ${stock.get(item) ?? 0}`);
}
