import { type EntityRef, entityKinds } from '@samovar/activity';
import { background, CanceledError, type Context, withCancel } from '@samovar/context';
import type { Event, EventId } from '@samovar/eda';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { otherRepo, registry, repo } from './bench.ts';
import type { World } from './world.ts';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The promises of EntityEvents, as a vitest suite. */
export function entityEventsContract(name: string, open: () => Promise<World>): void {
  describe(`${name} as EntityEvents`, () => {
    let world: World;
    let scope: ReturnType<typeof withCancel>;
    let ctx: Context;
    beforeEach(async () => {
      world = await open();
      scope = withCancel(background);
      ctx = scope.ctx;
    });
    afterEach(async () => {
      scope.cancel();
      await world[Symbol.asyncDispose]();
    });

    const types = async (events: AsyncIterable<Event>) => (await all(events)).map(({ type }) => type);

    it('open the events of one entity, behind any', async () => {
      const [a] = await world.append(repo, 'a', 'b');
      await world.append(otherRepo, 'x');
      await world.append(repo, 'c');
      expect(await types(world.events.open(ctx, repo, { after: null, watch: false }))).toEqual(['a', 'b', 'c']);
      const rest = world.events.open(ctx, repo, { after: a ?? null, watch: false });
      expect(await types(rest.history())).toEqual(['b', 'c']);
      expect(await types(rest)).toEqual([]);
      expect(await types(world.events.open(ctx, registry, { after: null, watch: false }))).toEqual([]);
    });

    it('open events that wait for more behind the history, until the context is done', async () => {
      await world.append(repo, 'a');
      const events = world.events.open(ctx, repo, { after: null, watch: true });
      expect(await types(events.history())).toEqual(['a']);
      const iterator = events[Symbol.asyncIterator]();
      const next = iterator.next();
      await world.append(otherRepo, 'x');
      await world.append(repo, 'b');
      expect((await next).value).toMatchObject({ type: 'b' });
      const never = iterator.next();
      scope.cancel();
      await expect(never).rejects.toThrow(CanceledError);
    });

    it('know heads', async () => {
      const last = new Map<EntityRef, EventId | undefined>();
      for (const entity of [repo, otherRepo, registry, repo]) {
        last.set(entity, (await world.append(entity, 'a', 'b')).at(-1));
      }
      expect(await world.events.head(ctx, repo)).toBe(last.get(repo));
      expect(await world.events.head(ctx, { kind: 'registry', registry: 'none' })).toBeNull();
      const heads = await all(world.events.heads(ctx, ['repo']));
      expect(new Map(heads.map(({ entity, head }) => [JSON.stringify(entity), head]))).toEqual(
        new Map([repo, otherRepo].map((entity) => [JSON.stringify(entity), last.get(entity)])),
      );
      expect(await all(world.events.heads(ctx, entityKinds))).toHaveLength(3);
    });

    it('signal what has news since, each entity once, of the kinds asked for', async () => {
      await world.append(repo, 'before');
      const signals = world.events.signals(ctx, ['repo', 'registryWorkflow'])[Symbol.asyncIterator]();
      expect((await signals.next()).value).toEqual([]);
      for (let i = 0; i < 100; i++) await world.append(repo, 'a');
      await world.append(registry, 'a');
      await world.append(otherRepo, 'a');
      const named: EntityRef[] = [];
      while (!named.some((entity) => entity.kind === 'repo' && JSON.stringify(entity) === JSON.stringify(otherRepo))) {
        named.push(...((await signals.next()).value as readonly EntityRef[]));
      }
      expect(new Set(named.map((entity) => JSON.stringify(entity)))).toEqual(
        new Set([repo, otherRepo].map((entity) => JSON.stringify(entity))),
      );
      expect(named.length).toBeLessThan(100);
      const never = signals.next();
      scope.cancel();
      await expect(never).rejects.toThrow(CanceledError);
    });

    it('signal to each who asks', async () => {
      const [one, two] = [0, 1].map(() => world.events.signals(ctx, ['repo'])[Symbol.asyncIterator]());
      await Promise.all([one?.next(), two?.next()]);
      await world.append(repo, 'a');
      expect((await one?.next())?.value).toEqual([repo]);
      expect((await two?.next())?.value).toEqual([repo]);
    });

    it('refuse a context that is done', async () => {
      scope.cancel();
      await expect(world.events.head(ctx, repo)).rejects.toThrow(CanceledError);
      await expect(all(world.events.signals(ctx, ['repo']))).rejects.toThrow(CanceledError);
      const open = async () => types(world.events.open(ctx, repo, { after: null, watch: true }));
      await expect(open()).rejects.toThrow(CanceledError);
    });
  });
}
