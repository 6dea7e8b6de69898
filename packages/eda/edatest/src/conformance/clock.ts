import { background } from '@samovar/context';
import type { EventId } from '@samovar/eda';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Backend } from './backend.ts';
import { eventually, idsOf, numberOf, numbersOf, pour, range, read } from './moves.ts';
import { connected } from './testlog.ts';

const hour = 3_600_000;

/** What sets this process's wall clock until the test is over. */
function clock(): (ms: number) => void {
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return (ms) => vi.setSystemTime(ms);
}

export function clockCases(backend: Backend): void {
  it('keeps the order, ids and heads when the clock is set back', async () => {
    const setClock = clock();
    const conn = await connected(backend);
    const ids: EventId[] = [];
    let expectedHead: EventId | null = null;
    for (const [n, ms] of [hour, 0, -24 * hour, 24 * hour, -hour].entries()) {
      setClock(Date.UTC(2030, 0, 1) + ms);
      expectedHead = await conn.publish(background, 'cups.1', pour(n), { expectedHead });
      ids.push(expectedHead);
    }
    expect(ids).toEqual(ids.toSorted());
    const events = await read(conn, 'cups.1');
    expect(idsOf(events)).toEqual(ids);
    expect(numbersOf(events)).toEqual(range(5));
  });

  it.each([-hour, hour])('knows a key again when the clock is set by %i ms', async (ms) => {
    const setClock = clock();
    const conn = await connected(backend);
    const first = await conn.publish(background, 'cups.1', pour(0), { key: 'k' });
    setClock(Date.now() + ms);
    expect(await conn.publish(background, 'cups.1', pour(0), { key: 'k' })).toBe(first);
    await conn.publish(background, 'cups.1', pour(1), { key: 'other' });
    expect(await conn.publish(background, 'cups.1', pour(0), { key: 'k' })).toBe(first);
    expect(numbersOf(await read(conn, 'cups.1'))).toEqual([0, 1]);
  });

  it('delivers on, and tries again what failed, when the clock is set back', async () => {
    const setClock = clock();
    const conn = await connected(backend);
    const handled: number[] = [];
    await conn.subscribe(
      'cups.1',
      (_, event) => {
        if (event.deliveries === 1) setClock(Date.now() - hour);
        if (event.deliveries === 1) throw new Error('too hot');
        handled.push(numberOf(event));
      },
      { name: 'drinkers', durable: true, serial: true },
    );
    for (const n of range(3)) await conn.publish(background, 'cups.1', pour(n));
    await eventually(() => expect(handled).toEqual(range(3)));
  });
}
