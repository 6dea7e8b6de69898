import { background } from '@samovar/context';
import type { Conn, Event } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { fill, gate, numberOf, range, Seen } from './moves.ts';
import { connected, TestLog } from './testlog.ts';

export function serialCases(backend: Backend): void {
  ordering(backend);
  failing(backend);
}

function ordering(backend: Backend): void {
  it('withholds the next event until the one before it is acknowledged', async () => {
    const conn = await connected(backend);
    const [release, mine, others] = [gate(), new Seen(), new Seen()];
    const handle = (_: unknown, event: Event) => {
      mine.handle(_, event);
      return numberOf(event) === 1 ? release.opened : undefined;
    };
    const subscription = await conn.subscribe('cups.*', handle, { name: 'serial', serial: true });
    await conn.subscribe('cups.*', others.handle, { name: 'others' });
    await fill(conn, 'cups.1', 3);
    await fill(conn, 'cups.2', 3, 3);
    await others.reaches(6);
    await mine.reaches(2);
    expect(mine.numbers).toEqual([0, 1]);
    release.open();
    await subscription.caughtUp(background);
    expect(mine.numbers).toEqual(range(6));
  });

  it('keeps the order over ten members, one handler at a time', async () => {
    const conns = await (await TestLog.open(backend)).connects(5);
    const seen = new Seen();
    let [running, peak] = [0, 0];
    const handle = async (_: unknown, event: Event) => {
      peak = Math.max(peak, ++running);
      seen.handle(_, event);
      await new Promise(setImmediate);
      running--;
    };
    await Promise.all(
      range(10).map((n) => (conns[n % 5] as Conn).subscribe('cups.1', handle, { serial: true, durable: true })),
    );
    await fill(conns[0] as Conn, 'cups.1', 300);
    await seen.reaches(300);
    expect(seen.numbers).toEqual(range(300));
    expect(peak).toBe(1);
  });
}

function failing(backend: Backend): void {
  it('keeps the order through failures and exceeded times, hidden from no later event', async () => {
    const conn = await connected(backend);
    const seen = new Seen();
    const handle = (_: unknown, event: Event) => {
      seen.handle(_, event);
      if (event.deliveries > 1) return undefined;
      if (numberOf(event) === 3) throw new Error('spilt');
      if (numberOf(event) === 5) return Promise.reject(new Error('spilt'));
      return numberOf(event) === 7 ? new Promise<void>(() => {}) : undefined;
    };
    const subscription = await conn.subscribe('cups.1', handle, { serial: true, timeout: 50 });
    await fill(conn, 'cups.1', 10);
    await subscription.caughtUp(background);
    expect(seen.numbers).toEqual([0, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9]);
  });

  it('goes on in order after it was closed with an event failing', async () => {
    const conn = await connected(backend);
    const options = { serial: true, durable: true, backfill: true };
    await fill(conn, 'cups.1', 6);
    const [before, after] = [new Seen(), new Seen()];
    const failing = (_: unknown, event: Event) => {
      before.handle(_, event);
      if (numberOf(event) === 3) throw new Error('spilt');
    };
    const first = await conn.subscribe('cups.1', failing, options);
    await before.reaches(4);
    await first.close();
    const second = await conn.subscribe('cups.1', after.handle, options);
    await second.caughtUp(background);
    expect(before.numbers.slice(0, 4)).toEqual(range(4));
    expect(after.numbers).toEqual([3, 4, 5]);
  });
}
