import { background as ctx, withTimeout } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { expect, it, vi } from 'vitest';
import type { UnderTest } from '../contract.ts';
import { numbered, numbers, readAll } from './events.ts';

const fault = new DomainError('unavailable', 'tea.noWater', { publicMessage: 'no water' });
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

export function sendingContract(underTest: UnderTest): void {
  it('reaches its stream by itself, once, in the order in which it was added', async () => {
    const { outbox, conn } = underTest();
    const all = range(20);
    for (const n of all) for (const s of ['a', 'b', 'c']) await outbox.add(ctx, s, numbered(n));
    await vi.waitUntil(async () => (await readAll(conn)).length >= 60, { timeout: 5_000 });
    await outbox.flushed(ctx);
    for (const s of ['a', 'b', 'c']) expect(await numbers(conn, s)).toEqual(all);
    const ids = (await readAll(conn)).map(({ meta }) => meta.outbox);
    expect(new Set(ids).size).toBe(60);
    expect(await outbox.getStatus(ctx, {})).toEqual({ waiting: 0, stuck: 0, skipped: 0, oldest: null });
  });

  it('reaches a stream that others publish to', async () => {
    const { outbox, conn } = underTest();
    const all = range(20);
    const others = (async () => {
      for (const n of all) await conn.publish(ctx, 's', numbered(100 + n));
    })();
    for (const n of all) await outbox.add(ctx, 's', numbered(n));
    await others;
    await outbox.flushed(ctx);
    const found = await numbers(conn, 's');
    expect(found).toHaveLength(40);
    expect(found.filter((n) => n < 100)).toEqual(all);
  });

  it('is waited for with flushed, of one stream or of all', async () => {
    const { outbox, conn, refuse } = underTest();
    refuse('a', fault);
    await outbox.add(ctx, 'a', numbered(1));
    await outbox.add(ctx, 'b', numbered(2));
    await outbox.flushed(ctx, 'b');
    await outbox.flushed(ctx, 'c');
    expect(await numbers(conn, 'b')).toEqual([2]);
    {
      using scope = withTimeout(ctx, 50);
      await expect(outbox.flushed(scope.ctx, 'a')).rejects.toMatchObject({ status: 'deadline_exceeded' });
    }
    const all = outbox.flushed(ctx);
    refuse('a', undefined);
    await all;
    expect(await numbers(conn, 'a')).toEqual([1]);
  });

  it('waits while its stream refuses, lets other streams flow, and follows in order', async () => {
    const { outbox, conn, refuse } = underTest();
    refuse('a', fault);
    for (const n of range(5)) for (const s of ['a', 'b']) await outbox.add(ctx, s, numbered(n));
    await outbox.flushed(ctx, 'b');
    expect(await numbers(conn, 'b')).toEqual(range(5));
    await vi.waitUntil(async () => (await outbox.getStatus(ctx, {})).stuck === 1);
    expect(await readAll(conn, 'a')).toEqual([]);
    refuse('a', undefined);
    await outbox.flushed(ctx);
    expect(await numbers(conn, 'a')).toEqual(range(5));
  });
}
