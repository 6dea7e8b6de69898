import { background as ctx } from '@samovar/context';
import { ManualClock } from '@samovar/edatest';
import { expect, it } from 'vitest';
import { connectMemory } from './edamemory.ts';

const start = new Date('2030-01-01T00:00:00Z');

it('a log tells times and forgets keys by the clock it is given', async () => {
  const clock = new ManualClock(start);
  await using conn = connectMemory('', { logger: null }, clock);
  const publish = () => conn.publish(ctx, 's', { type: 't' }, { key: 'k' });
  const first = await publish();
  clock.advance(119_999);
  expect(await publish()).toBe(first);
  clock.advance(1);
  const second = await publish();
  const told: string[] = [];
  for await (const { time, ackTime } of conn.read(ctx, 's')) told.push(time.toISOString(), ackTime.toISOString());
  expect(second).not.toBe(first);
  const [before, after] = ['2030-01-01T00:00:00.000Z', '2030-01-01T00:02:00.000Z'];
  expect(told).toEqual([before, before, after, after]);
});

it('ids grow and keys are kept when the clock is set back', async () => {
  const clock = new ManualClock(start);
  await using conn = connectMemory('', { logger: null }, clock);
  const before = await conn.publish(ctx, 's', { type: 't' }, { key: 'k' });
  clock.set(new Date(0));
  const after = await conn.publish(ctx, 's', { type: 't' }, { expectedHead: before });
  expect(after > before).toBe(true);
  expect(await conn.publish(ctx, 's', { type: 't' }, { key: 'k' })).toBe(before);
});

it.each([-1, 1.5, Number.NaN, 2 ** 48])('a clock is not moved by %s', (ms) => {
  const clock = new ManualClock(start);
  expect(() => clock.advance(ms)).toThrow(RangeError);
  expect(clock.now()).toBe(start.getTime());
});
