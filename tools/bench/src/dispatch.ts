import { background, type Context, withTimeout } from '@samovar/context';
import { type CommandType, command } from '@samovar/message';
import { z } from 'zod';
import { type Contender, type Effort, measure, part, ratio, seconds, short, summary, table } from './measure.ts';
import { nestCommands } from './nest.ts';
import { makeBus } from './services.ts';

type Send = CommandType<{ id: number }, number>;
type Handler = (ctx: Context, args: { id: number }) => Promise<number>;

/** What a dispatch costs next to the least it can cost, and next to a peer. */
export async function dispatch(effort: Effort): Promise<string> {
  const rows: string[][] = [];
  const calls = part(effort, 200_000);
  for (const count of [1, 1000]) rows.push(...(await compare(count, calls, effort.rounds)));
  return table(['registered', 'way', 'ns each, median | min–max', '× limit', '× @nestjs/cqrs'], rows);
}

async function compare(count: number, calls: number, rounds: number): Promise<string[][]> {
  const messages = Array.from({ length: count }, (_, i) =>
    command(`bench.Send${i}Command`, z.object({ id: z.int() }), z.int()),
  );
  await using nest = await nestCommands(count);
  using deadline = withTimeout(background, 3_600_000);
  const contenders = [
    mapAndAwait(messages, calls),
    busDispatch('bus.dispatch', messages, background, calls),
    busDispatch('bus.dispatch, context with a deadline', messages, deadline.ctx, calls),
    peer(nest.dispatchers, calls),
  ];
  const measured = await measure(contenders, { rounds, warmUps: 2 });
  const [limit, , , nestjs] = measured;
  if (limit === undefined || nestjs === undefined) throw new Error('nothing measured');
  return measured.map((way) => [
    short(count),
    way.name,
    summary(way),
    ratio(way, limit).toFixed(2),
    ratio(way, nestjs).toFixed(2),
  ]);
}

// Each contender's loop is its own, as the engine specialises a loop for what it calls. All go through the messages in turn.

function mapAndAwait(messages: readonly Send[], calls: number): Contender {
  const handlers = new Map(messages.map((message) => [message, handler()]));
  const { length } = messages;
  return timed('Map lookup + await', calls, async () => {
    let sum = 0;
    for (let id = 0; id < calls; id++) sum += await get(handlers, messages[id % length])(background, { id });
    return sum;
  });
}

function get(handlers: ReadonlyMap<Send, Handler>, message: Send | undefined): Handler {
  return handlers.get(message as Send) as Handler;
}

function busDispatch(name: string, messages: readonly Send[], ctx: Context, calls: number): Contender {
  const bus = makeBus();
  for (const message of messages) bus.addHandler(message, handler());
  const { length } = messages;
  return timed(name, calls, async () => {
    let sum = 0;
    for (let id = 0; id < calls; id++) sum += await bus.dispatch(ctx, messages[id % length] as Send, { id });
    return sum;
  });
}

function peer(dispatchers: readonly ((id: number) => Promise<number>)[], calls: number): Contender {
  const { length } = dispatchers;
  return timed('@nestjs/cqrs CommandBus.execute', calls, async () => {
    let sum = 0;
    for (let id = 0; id < calls; id++) sum += (await dispatchers[id % length]?.(id)) ?? 0;
    return sum;
  });
}

function handler(): Handler {
  return async (_, { id }) => id + 1;
}

function timed(name: string, calls: number, loop: () => Promise<number>): Contender {
  const expected = (calls * (calls + 1)) / 2;
  return {
    name,
    async round() {
      let sum = 0;
      const time = await seconds(async () => {
        sum = await loop();
      });
      if (sum !== expected) throw new Error(`${name} came to ${sum}, not ${expected}`);
      return (time * 1e9) / calls;
    },
  };
}
