import { background } from '@samovar/context';
import type { Conn, SubscriptionInfo } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { collect, fill, gate, Seen } from './moves.ts';
import { connected, TestLog } from './testlog.ts';

const defaults = {
  backfill: false,
  serial: false,
  concurrency: 64,
  timeout: 30_000,
  keyBy: null,
  maxDeliver: 10,
};

export function keepingCases(backend: Backend): void {
  listing(backend);
  positions(backend);
  options(backend);
}

function listing(backend: Backend): void {
  it('keeps durable subscriptions with selector and options, defaults filled in, open or not', async () => {
    const log = await TestLog.open(backend);
    const [conn, other] = (await log.connects(2)) as [Conn, Conn];
    expect(await kept(conn)).toEqual([]);
    const chosen = { backfill: true, serial: true, timeout: 500 };
    const guest = await conn.subscribe('cups.*', () => {}, { name: 'guest', durable: true, ...chosen });
    await conn.subscribe('pots.>', () => {}, { durable: true, concurrency: 3 });
    const all = [
      { name: 'guest', selector: 'cups.*', options: { ...defaults, ...chosen, concurrency: 1 }, lastAcked: null },
      { name: 'pots.>', selector: 'pots.>', options: { ...defaults, concurrency: 3 }, lastAcked: null },
    ];
    expect(await kept(conn)).toEqual(all);
    expect(await kept(other)).toEqual(all);
    await guest.close();
    expect(await kept(conn)).toEqual(all);
    await conn.close();
    expect(await kept(other)).toEqual(all);
  });

  it('does not keep those that are not durable, nor those that were unsubscribed', async () => {
    const conn = await connected(backend);
    await conn.subscribe('cups.1', () => {}, { name: 'passing' });
    const open = await conn.subscribe('cups.1', () => {}, { name: 'ann', durable: true });
    const closed = await conn.subscribe('cups.1', () => {}, { name: 'bob', durable: true });
    await conn.subscribe('cups.1', () => {}, { name: 'cyd', durable: true });
    await closed.close();
    expect(names(await kept(conn))).toEqual(['ann', 'bob', 'cyd']);
    await open.unsubscribe();
    await closed.unsubscribe();
    expect(names(await kept(conn))).toEqual(['cyd']);
  });

  it('lists kept subscriptions in the order of their names', async () => {
    const conn = await connected(backend);
    const unordered = ['b', 'a', 'Z', 'é', 'a.b', 'a b', '10', '9', '\u{1f375}', '\uff21'];
    for (const name of unordered) await conn.subscribe('cups.1', () => {}, { name, durable: true });
    expect(names(await kept(conn))).toEqual(unordered.toSorted());
  });
}

function positions(backend: Backend): void {
  it('says how far a kept subscription has come', async () => {
    const conn = await connected(backend);
    const [failed, release] = [gate(), gate()];
    const ids = await fill(conn, 'cups.1', 10);
    const handle = async (_: unknown, { id }: { id: string }) => {
      if (id !== ids[6]) return;
      failed.open();
      await release.opened;
      throw new Error('spilt');
    };
    const subscription = await conn.subscribe('cups.1', handle, { name: 'guest', durable: true, backfill: true });
    await failed.opened;
    release.open();
    await subscription.close();
    expect((await kept(conn)).map(({ lastAcked }) => lastAcked)).toEqual([ids[5]]);
  });
}

function options(backend: Backend): void {
  it('keeps the options that a subscription was last opened with, and its position', async () => {
    const conn = await connected(backend);
    const ids = await fill(conn, 'cups.1', 3);
    const first = await conn.subscribe('cups.1', () => {}, { name: 'guest', durable: true, backfill: true });
    await first.caughtUp(background);
    await first.close();
    const changed = { serial: true, timeout: 7 };
    const seen = new Seen();
    const second = await conn.subscribe('cups.1', seen.handle, { name: 'guest', durable: true, ...changed });
    const expected = {
      name: 'guest',
      selector: 'cups.1',
      options: { ...defaults, ...changed, concurrency: 1 },
      lastAcked: ids[2],
    };
    expect(await kept(conn)).toEqual([expected]);
    await second.close();
    expect(await kept(conn)).toEqual([expected]);
    expect(seen.events).toEqual([]);
  });
}

function kept(conn: Conn): Promise<SubscriptionInfo[]> {
  return collect(conn.subscriptions(background));
}

function names(infos: readonly SubscriptionInfo[]): string[] {
  return infos.map(({ name }) => name);
}
