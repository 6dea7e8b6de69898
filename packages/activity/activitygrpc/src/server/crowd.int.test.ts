import { type EntityRef, entityStream } from '@samovar/activity';
import { connEntityEvents } from '@samovar/activityimpl';
import { background, withCancel } from '@samovar/context';
import { Data, type Event } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { Uuid } from '@samovar/repos';
import { expect, it, vi } from 'vitest';
import { CountingEvents, startServer } from '../../testing.ts';

const repo: EntityRef = { kind: 'repo', repoId: Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001') };
const ctx = background;

it('sends an event to a thousand watchers, and reads it once', async () => {
  await using conn = await connect('memory:', { logger: null });
  const events = new CountingEvents(conn);
  await using server = await startServer(conn, { events });
  await using connection = server.connect();
  await conn.publish(ctx, entityStream(repo), { type: 'first' });
  using scope = withCancel(ctx);
  const watchers = Array.from({ length: 1_000 }, () =>
    connection.events.open(scope.ctx, repo, { after: null, watch: true })[Symbol.asyncIterator](),
  );
  const firsts = await Promise.all(watchers.map((watcher) => watcher.next()));
  expect(new Set(firsts.map(({ value }) => (value as Event).type))).toEqual(new Set(['first']));
  const seconds = watchers.map((watcher) => watcher.next());
  const id = await conn.publish(ctx, entityStream(repo), { type: 'second' });
  const got = await Promise.all(seconds);
  expect(new Set(got.map(({ value }) => (value as Event).id))).toEqual(new Set([id]));
  expect(events.read.filter((read) => read === id)).toHaveLength(1);
  expect(events).toMatchObject({ watching: 1, ended: 0 });
  scope.cancel();
  await vi.waitFor(() => expect(events.ended).toBe(1));
});

it('reads little more of the log than a slow reader takes', async () => {
  await using conn = await connect('memory:', { logger: null });
  const data = Data.bytes(new Uint8Array(32 * 1024));
  const large = Array.from({ length: 100 }, () => ({ type: 'large', data }));
  for (let i = 0; i < 4; i++) await conn.publishAll(ctx, entityStream(repo), large);
  const events = new CountingEvents(conn);
  await using server = await startServer(conn, { events });
  await using slow = server.connect();
  await using fast = server.connect();
  let read = 0;
  for await (const _ of slow.events.open(ctx, repo, { after: null, watch: false })) {
    read++;
    if (read !== 1) continue;
    const before = events.read.length;
    let others = 0;
    for await (const _ of fast.events.open(ctx, repo, { after: null, watch: false })) others++;
    expect(others).toBe(400);
    await vi.waitFor(() => expect(events.read.length - before).toBeGreaterThanOrEqual(400));
    expect(events.read.length).toBeLessThan(500);
  }
  expect(read).toBe(400);
});

it('tells many workers of what is new, each entity once', async () => {
  await using conn = await connect('memory:', { logger: null });
  const events = connEntityEvents(conn);
  await using server = await startServer(conn, { events });
  const connections = Array.from({ length: 10 }, () => server.connect());
  const signals = connections.map((connection) => connection.events.signals(ctx, ['repo'])[Symbol.asyncIterator]());
  await Promise.all(signals.map((each) => each.next()));
  const all = Array.from({ length: 1_200 }, (_, i) => `0190f3a4-5b6c-7d8e-9f00-${String(i).padStart(12, '0')}`);
  const append = Promise.all(all.map((id) => conn.publish(ctx, `repos.${id}`, { type: 'a' })));
  for (const each of signals) {
    const named: string[] = [];
    while (named.length < all.length) {
      const { value } = await each.next();
      for (const entity of value as readonly EntityRef[]) named.push(entity.kind === 'repo' ? entity.repoId : '');
    }
    expect(named.sort()).toEqual(all);
  }
  await append;
  await Promise.all(connections.map((connection) => connection.close()));
});
