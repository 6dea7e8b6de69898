import { type EntityRef, endOfStream, type RepoActivity } from '@samovar/activity';
import { systemClock } from '@samovar/activitycore';
import { LazyEngine } from '@samovar/activitylazy';
import { background as ctx } from '@samovar/context';
import { connect } from '@samovar/edaimpl';
import { Uuid } from '@samovar/repos';
import { certificate, opensslLacking } from '@samovar/vitestconfig/certificate';
import { expect, it, vi } from 'vitest';
import { startServer, testLogger } from '../testing.ts';
import { connectEntities } from './activitygrpc.ts';

const repo = { kind: 'repo', repoId: Uuid.parse('0190f3a4-5b6c-7d8e-9f00-000000000001') } satisfies EntityRef;
const stream = `repos.${repo.repoId}`;

it('runs activities of a server that is restarted meanwhile', async () => {
  await using conn = await connect('memory:', { logger: null });
  const first = await startServer(conn);
  const { url, workers } = first;
  await using connection = first.connect(systemClock);
  const { events, leases } = connection;
  await using engine = new LazyEngine({ events, leases, logger: testLogger(), claimEveryMs: 50 });
  const seen: string[] = [];
  const telling: RepoActivity['processRepoEvents'] = async (_, __, tail, events) => {
    let last = tail;
    for await (const { id, type } of events) {
      seen.push(type);
      last = id;
    }
    return endOfStream(last);
  };
  const handle = await engine.startRepoActivity(ctx, repo.repoId, telling, { name: 'telling' });
  await conn.publish(ctx, stream, { type: 'before' });
  await vi.waitFor(() => expect(seen).toEqual(['before']), 10_000);
  await vi.waitUntil(() => handle.status().state === 'sleeping');
  await first[Symbol.asyncDispose]();
  await conn.publish(ctx, stream, { type: 'meanwhile' });
  await using second = await startServer(conn, { workers, options: { port: Number(new URL(url).port) } });
  expect(second.url).toBe(url);
  await conn.publish(ctx, stream, { type: 'after' });
  await vi.waitFor(() => expect(seen.at(-1)).toBe('after'), 20_000);
  // What could not be stored when the server went is told again.
  expect(seen.filter((type, i) => seen.indexOf(type) === i)).toEqual(['before', 'meanwhile', 'after']);
});

it.skipIf(opensslLacking())('speaks encrypted to the server that it knows, and to no other', async () => {
  await using conn = await connect('memory:', { logger: null });
  const tls = certificate();
  await using server = await startServer(conn, { options: { tls, token: 's3cret' } });
  const logger = testLogger();
  await using knowing = connectEntities(server.url, { logger, token: 's3cret', ca: tls.cert });
  expect(await knowing.events.head(ctx, repo)).toBeNull();
  for (const options of [{ ca: certificate().cert }, {}]) {
    await using other = connectEntities(server.url, { logger, token: 's3cret', ...options });
    await expect(other.events.head(ctx, repo)).rejects.toMatchObject({ status: 'unavailable' });
  }
});
