import { expect, it } from 'vitest';
import { background, CanceledError, withCancel } from './context.ts';
import { Turns } from './turns.ts';

/** Takes turns that last until they are told to end. */
function recorded() {
  const [turns, log] = [new Turns(), [] as string[]];
  const take = (name: string, key: string, ctx = background) => {
    const { promise, resolve: end } = Promise.withResolvers<void>();
    const taken = turns.take(ctx, key, async () => {
      log.push(`${name} begins`);
      await promise;
      log.push(`${name} ends`);
      return name;
    });
    return { taken, end };
  };
  return { log, take };
}

it('lets in one after another, and others for another key', async () => {
  const { log, take } = recorded();
  const [first, second, other] = [take('first', 'a'), take('second', 'a'), take('other', 'b')];
  other.end();
  expect(await other.taken).toBe('other');
  second.end();
  first.end();
  expect(await Promise.all([first.taken, second.taken])).toEqual(['first', 'second']);
  expect(log).toEqual(['first begins', 'other begins', 'other ends', 'first ends', 'second begins', 'second ends']);
});

it('goes on behind one that fails, and behind one that gives up waiting, for which it does not let in two', async () => {
  const { log, take } = recorded();
  using scope = withCancel(background);
  const first = take('first', 'a');
  const second = take('second', 'a', scope.ctx);
  scope.cancel();
  await expect(second.taken).rejects.toThrow(CanceledError);
  const third = take('third', 'a');
  third.end();
  expect(log).toEqual(['first begins']);
  first.end();
  await third.taken;
  expect(log).toEqual(['first begins', 'first ends', 'third begins', 'third ends']);

  const turns = new Turns();
  const failing = turns.take(background, 'a', async () => {
    throw new Error('as told');
  });
  const next = turns.take(background, 'a', async () => 'next');
  await expect(failing).rejects.toThrow('as told');
  expect(await next).toBe('next');
});
