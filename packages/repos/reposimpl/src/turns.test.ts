import { background, CanceledError, withCancel } from '@samovar/context';
import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

it('lets one in at a time, in the order they came', async () => {
  const turns = new Turns();
  const seen: string[] = [];
  const visit = (name: string) =>
    turns.take(background, async () => {
      seen.push(`${name} in`);
      await Promise.resolve();
      seen.push(`${name} out`);
      return name;
    });
  expect(await Promise.all([visit('a'), visit('b'), visit('c')])).toEqual(['a', 'b', 'c']);
  expect(seen).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
});

it('goes on after one that failed', async () => {
  const turns = new Turns();
  const failing = turns.take(background, () => Promise.reject(new Error('no')));
  const next = turns.take(background, async () => 'yes');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
});

it('lets those who wait go when their context ends, and nobody overtakes', async () => {
  const turns = new Turns();
  const first = Promise.withResolvers<void>();
  const running = turns.take(background, () => first.promise);
  using scope = withCancel(background);
  const impatient = turns.take(scope.ctx, async () => 'never');
  let entered = false;
  const last = turns.take(background, async () => {
    entered = true;
  });
  scope.cancel();
  await expect(impatient).rejects.toThrow(CanceledError);
  expect(entered).toBe(false);
  first.resolve();
  await Promise.all([running, last]);
  expect(entered).toBe(true);
});
