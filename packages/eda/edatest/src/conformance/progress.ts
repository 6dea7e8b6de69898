import { background, withCancel, withTimeout } from '@samovar/context';
import type { EventId } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { eventually, fill, gate, numberOf, range, refusal, refusalOf, Seen } from './moves.ts';
import { connected } from './testlog.ts';

export function progressCases(backend: Backend): void {
  catchingUp(backend);
  givingUp(backend);
  status(backend);
  membership(backend);
}

function catchingUp(backend: Backend): void {
  it('has caught up only once every matching event up to the given one is acknowledged', async () => {
    const conn = await connected(backend);
    const [first, last] = [gate(), gate()];
    const subscription = await conn.subscribe('cups.1', async (_, event) => {
      if (numberOf(event) === 3) await first.opened;
      if (numberOf(event) === 7) await last.opened;
    });
    const ids = await fill(conn, 'cups.1', 10);
    const done: string[] = [];
    const caughtUp = [2, 3, 6, 7, undefined].map(async (n) => {
      await subscription.caughtUp(background, n === undefined ? undefined : ids[n]);
      done.push(String(n));
    });
    await eventually(() => expect(subscription.status().lag).toBe(2));
    expect(done).toEqual(['2']);
    first.open();
    await Promise.all(caughtUp.slice(0, 3));
    await subscription.caughtUp(background, ids[0]);
    expect(done.toSorted()).toEqual(['2', '3', '6']);
    last.open();
    await Promise.all(caughtUp);
  });

  it('has caught up at once where nothing matches, though other streams go on', async () => {
    const conn = await connected(backend);
    const subscription = await conn.subscribe('cups.1', () => {}, { backfill: true });
    await subscription.caughtUp(background);
    const [other] = (await fill(conn, 'pots', 2)) as [EventId, EventId];
    await subscription.caughtUp(background, other);
    await subscription.caughtUp(background);
  });
}

function givingUp(backend: Backend): void {
  it('tells who waits to catch up that the subscription was closed, or the context is done', async () => {
    const conn = await connected(backend);
    const release = gate();
    const subscription = await conn.subscribe('cups.1', () => release.opened);
    await fill(conn, 'cups.1', 1);
    using cancelled = withCancel(background);
    using late = withTimeout(background, 10);
    const waiting = [cancelled.ctx, late.ctx, background].map((ctx) => refusalOf(() => subscription.caughtUp(ctx)));
    cancelled.cancel();
    await waiting[1];
    const closing = subscription.close();
    const refused = [refusal('context.canceled'), refusal('context.deadlineExceeded'), refusal('eda.closed')];
    expect(await Promise.all(waiting)).toEqual(refused);
    release.open();
    await closing;
    expect(await refusalOf(() => subscription.caughtUp(background))).toEqual(refusal('eda.closed'));
  });

  it('tells who waits to catch up that another member has unsubscribed them all', async () => {
    const conn = await connected(backend);
    const release = gate();
    const options = { name: 'guests', durable: true };
    const first = await conn.subscribe('cups.1', () => release.opened, options);
    const second = await conn.subscribe('cups.1', () => release.opened, options);
    await fill(conn, 'cups.1', 2);
    const waiting = refusalOf(() => first.caughtUp(background));
    const dropping = second.unsubscribe();
    expect(await waiting).toEqual(refusal('eda.closed'));
    release.open();
    await dropping;
  });
}

function status(backend: Backend): void {
  it('counts as lag what is not acknowledged, and tells how many handlers run', async () => {
    const conn = await connected(backend);
    await fill(conn, 'pots', 5);
    const ids = await fill(conn, 'cups.1', 10);
    const release = gate();
    const seen = new Seen();
    const subscription = await conn.subscribe(
      'cups.*',
      (_, event) => {
        seen.handle(_, event);
        return release.opened;
      },
      { backfill: true, concurrency: 4 },
    );
    await seen.reaches(4);
    expect(subscription.status()).toEqual({
      state: 'running',
      lag: 10,
      inFlight: 4,
      parked: 0,
      redelivered: 0,
      lastAcked: null,
    });
    release.open();
    await subscription.caughtUp(background);
    expect(subscription.status()).toEqual({
      state: 'running',
      lag: 0,
      inFlight: 0,
      parked: 0,
      redelivered: 0,
      lastAcked: ids[9],
    });
    await subscription.close();
    expect(subscription.status()).toMatchObject({ state: 'closed', lag: 0, inFlight: 0 });
  });

  it('names as last acknowledged the event before the first that is not', async () => {
    const conn = await connected(backend);
    const release = gate();
    const subscription = await conn.subscribe('cups.1', (_, event) =>
      numberOf(event) === 2 ? release.opened : undefined,
    );
    const ids = await fill(conn, 'cups.1', 5);
    await eventually(() => expect(subscription.status().lag).toBe(1));
    expect(subscription.status()).toMatchObject({ inFlight: 1, lastAcked: ids[1] });
    release.open();
    await eventually(() => expect(subscription.status()).toMatchObject({ lag: 0, inFlight: 0, lastAcked: ids[4] }));
  });
}

function membership(backend: Backend): void {
  it('has the lag of what is left, also after handled events were erased', async () => {
    const conn = await connected(backend);
    const release = gate();
    const subscription = await conn.subscribe(
      'cups.*',
      (_, event) => (numberOf(event) >= 10 ? release.opened : undefined),
      {
        durable: true,
        concurrency: 1,
      },
    );
    await fill(conn, 'cups.1', 10);
    await subscription.caughtUp(background);
    await conn.erase(background, 'cups.1');
    await fill(conn, 'cups.2', 3, 10);
    await eventually(() => expect(subscription.status()).toMatchObject({ lag: 3, inFlight: 1 }));
    release.open();
    await subscription.caughtUp(background);
    expect(subscription.status()).toMatchObject({ lag: 0 });
  });

  it('has no lag for what a new subscription without backfill leaves out', async () => {
    const conn = await connected(backend);
    await fill(conn, 'cups.1', 10);
    for (const durable of [true, false]) {
      const subscription = await conn.subscribe('cups.1', () => {}, { name: `guest ${durable}`, durable });
      expect(subscription.status()).toMatchObject({ state: 'running', lag: 0 });
    }
  });

  it('closes one of two members without the other', async () => {
    const conn = await connected(backend);
    const [one, two] = [new Seen(), new Seen()];
    const first = await conn.subscribe('cups.1', one.handle, { durable: true });
    const second = await conn.subscribe('cups.1', two.handle, { durable: true });
    await first.close();
    expect([first.status().state, second.status().state]).toEqual(['closed', 'running']);
    await fill(conn, 'cups.1', 20);
    await two.reaches(20);
    expect([one.numbers, two.numbers]).toEqual([[], range(20)]);
  });
}
