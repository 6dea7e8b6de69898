import { background, type Context, contextKey, withCancel, withValue } from '@samovar/context';
import { command, event, query } from '@samovar/message';
import { z } from 'zod';

export const BoilWaterCommand = command('kitchen.BoilWaterCommand', z.object({ litres: z.number() }));
export const GetTeaQuery = query('kitchen.GetTeaQuery', z.object({ cups: z.int() }), z.object({ kind: z.string() }));
export const TeaServed = event('kitchen.TeaServed', z.object({ cups: z.int() }));
/** Durable. */
export const TeaOrdered = event('kitchen.TeaOrdered', z.object({ table: z.string() }), {
  stream: ({ table }) => `kitchen.${table}`,
});

const guest = contextKey('guest', 'nobody');
export const guestOf = (ctx: Context): string => ctx.value(guest);
export const as = (name: string): Context => withValue(background, guest, name);

export function canceled(): Context {
  const { ctx, cancel } = withCancel(background);
  cancel();
  return ctx;
}

/** `file:line` where the caller stands. */
export function here(): string {
  return /([^/\\]+:\d+):\d+\)?$/.exec(new Error().stack?.split('\n')[2] ?? '')?.[1] ?? '';
}

/** `place`, a result of {@link here}, some lines further down. */
export function below(place: string, lines = 1): string {
  return place.replace(/\d+$/, (line) => String(Number(line) + lines));
}
