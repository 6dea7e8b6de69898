import { background as ctx } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { type Outbox, type Row, RowNotFoundError, RowNotStuckError } from '@samovar/outbox';
import { expect, it, vi } from 'vitest';
import type { UnderTest } from '../contract.ts';
import { numbered, numbers } from './events.ts';

const fault = new DomainError('unavailable', 'tea.noWater', { publicMessage: 'no water' });

async function stuckRow(outbox: Outbox): Promise<Row> {
  return await vi.waitUntil(async () => (await outbox.listRows(ctx, { state: 'stuck' }))[0]);
}

export function operatorContract(underTest: UnderTest): void {
  it('is seen, with what waits behind it', async () => {
    const { outbox, refuse } = underTest();
    refuse('a', fault);
    const before = Date.now();
    for (const n of [1, 2, 3]) await outbox.add(ctx, 'a', numbered(n));
    const row = await stuckRow(outbox);
    expect(row).toMatchObject({ state: 'stuck', stream: 'a', type: 'tea.CupPoured', error: 'no water' });
    expect(row.attempts).toBeGreaterThan(0);
    expect(Date.parse(row.since)).toBeGreaterThanOrEqual(before);
    const waiting = await outbox.listRows(ctx, { state: 'waiting' });
    expect(waiting).toMatchObject([2, 3].map(() => ({ state: 'waiting', stream: 'a', attempts: 0, error: null })));
    expect(await outbox.listRows(ctx, { state: 'waiting', limit: 1 })).toEqual(waiting.slice(0, 1));
    expect(await outbox.getStatus(ctx, {})).toEqual({ waiting: 2, stuck: 1, skipped: 0, oldest: row.since });
  });

  it('tells on one line what it failed for, and no more than a caller may know', async () => {
    const { outbox, refuse } = underTest();
    refuse('a', new DomainError('unavailable', 'tea.noWater', { publicMessage: 'no\u0000water\n'.repeat(100) }));
    refuse('b', new TypeError('secret'));
    for (const stream of ['a', 'b']) await outbox.add(ctx, stream, numbered(1));
    await vi.waitUntil(async () => (await outbox.getStatus(ctx, {})).stuck === 2);
    const errors = (await outbox.listRows(ctx, { state: 'stuck' })).map(({ error }) => error);
    expect(errors).toEqual(['no water '.repeat(100).slice(0, 500), "TypeError: the server's log says more"]);
  });

  it('is tried again and again, and counts it', async () => {
    const { outbox, refuse } = underTest();
    refuse('a', fault);
    await outbox.add(ctx, 'a', numbered(1));
    await vi.waitUntil(async () => (await stuckRow(outbox)).attempts >= 3, { timeout: 5_000 });
    refuse('a', undefined);
    await outbox.flushed(ctx);
  });

  it('is given up by an operator, and kept', async () => {
    const { outbox, conn, refuse } = underTest();
    refuse('a', fault);
    for (const n of [1, 2, 3]) await outbox.add(ctx, 'a', numbered(n));
    const { id } = await stuckRow(outbox);
    await outbox.skipRow(ctx, { id });
    await outbox.skipRow(ctx, { id });
    refuse('a', undefined);
    await outbox.flushed(ctx);
    expect(await numbers(conn, 'a')).toEqual([2, 3]);
    expect(await outbox.listRows(ctx, { state: 'skipped' })).toMatchObject([
      { id, state: 'skipped', error: 'no water' },
    ]);
    expect(await outbox.getStatus(ctx, {})).toEqual({ waiting: 0, stuck: 0, skipped: 1, oldest: null });
  });

  it('lets flushed resolve when it is given up', async () => {
    const { outbox, refuse } = underTest();
    refuse('a', fault);
    await outbox.add(ctx, 'a', numbered(1));
    const flushed = outbox.flushed(ctx);
    await outbox.skipRow(ctx, { id: (await stuckRow(outbox)).id });
    await flushed;
  });

  it('is the only one that is given up', async () => {
    const { outbox, refuse } = underTest();
    refuse('a', fault);
    for (const n of [1, 2]) await outbox.add(ctx, 'a', numbered(n));
    await stuckRow(outbox);
    const [waiting] = await outbox.listRows(ctx, { state: 'waiting' });
    await expect(outbox.skipRow(ctx, { id: waiting?.id ?? '' })).rejects.toThrow(RowNotStuckError);
    const nobody = '00000000-0000-4000-8000-000000000000';
    await expect(outbox.skipRow(ctx, { id: nobody })).rejects.toThrow(RowNotFoundError);
    await expect(outbox.skipRow(ctx, { id: 'x' })).rejects.toMatchObject({ id: 'message.invalid' });
    await expect(outbox.listRows(ctx, { state: 'stuck', limit: 0 })).rejects.toMatchObject({ id: 'message.invalid' });
    await expect(outbox.getStatus(ctx, { a: 1 } as never)).rejects.toMatchObject({ id: 'message.invalid' });
    expect(await outbox.getStatus(ctx, {})).toMatchObject({ waiting: 1, stuck: 1 });
  });
}
