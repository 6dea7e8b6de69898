import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeBus } from '@samovar/bustest';
import { background } from '@samovar/context';
import { type Conn, Data } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { EdaJournal } from '@samovar/journalimpl';
import {
  EphemeralWorkflowsEnabled,
  RegistryInitialized,
  RepoAdded,
  RepoRemoved,
  registryStream,
} from '@samovar/registry';
import { registryContract } from '@samovar/registrytest/contract';
import { FakeRepos } from '@samovar/repostest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registryFolding } from './folding.ts';
import { RegistryService } from './service.ts';

const ctx = background;

/** A log of a kind, which stays open through a suite, as opening a file takes longer than most tests. */
function log(kind: string) {
  let folder: string;
  let conn: Conn;
  let other: Conn;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'samovar-registry-'));
    const url = kind === 'memory' ? `memory:${folder}` : `sqlite:${join(folder, 'events.db')}`;
    [conn, other] = [await connect(url, { logger: null }), await connect(url, { logger: null })];
  });
  afterAll(async () => {
    await Promise.all([conn.close(), other.close()]);
    await rm(folder, { recursive: true });
  });
  return async () => {
    const bus = new FakeBus();
    const repos = new FakeRepos(bus);
    let created = 0;
    return {
      bus,
      conn,
      registry: new RegistryService(bus, new EdaJournal(conn, registryFolding)),
      other: new RegistryService(bus, new EdaJournal(other, registryFolding)),
      createRepository: async () => {
        const path = `/repositories/${++created}`;
        repos.addRepository(path);
        return path;
      },
      [Symbol.asyncDispose]: async () => {
        for await (const { stream } of conn.streams(ctx)) await conn.erase(ctx, stream);
      },
    };
  };
}

/** The types and data of the events of a stream. */
async function eventsOf(conn: Conn, stream: string): Promise<[string, unknown][]> {
  const events: [string, unknown][] = [];
  for await (const { type, data } of conn.read(ctx, stream)) events.push([type, data.json()]);
  return events;
}

describe.each(['memory', 'sqlite'])('on %s', (kind) => {
  const start = log(kind);
  registryContract('RegistryService', start);

  it('keeps all of a registry on one stream, as its root defines it, and nothing twice', async () => {
    await using current = await start();
    const { registry, conn, createRepository } = current;
    const path = await createRepository();
    const thrice = async <T>(act: () => Promise<T>): Promise<T> => {
      await Promise.all([act(), act()]);
      return await act();
    };
    await thrice(() => registry.initRegistry(ctx, {}));
    const { repoId } = await thrice(() => registry.addRepo(ctx, { path, name: 'tea' }));
    await thrice(() => registry.enableEphemeralWorkflows(ctx, { retentionSeconds: 60 }));
    await thrice(() => registry.removeRepo(ctx, { repoId }));

    const events = await eventsOf(conn, registryStream('main'));
    expect(events).toEqual([
      ['registry.RegistryInitialized', { registry: 'main' }],
      ['registry.RepoAdded', { registry: 'main', repoId, name: 'tea', path }],
      ['registry.EphemeralWorkflowsEnabled', { registry: 'main', retentionSeconds: 60 }],
      ['registry.RepoRemoved', { registry: 'main', repoId }],
    ]);
    const definitions = [RegistryInitialized, RepoAdded, EphemeralWorkflowsEnabled, RepoRemoved];
    for (const [i, definition] of definitions.entries()) {
      expect(definition.parse(events[i]?.[1])).toEqual(events[i]?.[1]);
      expect(definition.stream?.(events[i]?.[1] as never)).toBe('registry.main');
    }
  });

  it('adds a path once when two processes are asked at once', async () => {
    await using current = await start();
    const { registry, other, conn, createRepository } = current;
    await registry.initRegistry(ctx, {});
    const path = await createRepository();
    const adds = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? registry : other).addRepo(ctx, { path }));
    const [first, ...rest] = await Promise.all(adds);
    expect(rest).toEqual(rest.map(() => first));
    const added = (await eventsOf(conn, 'registry.main')).filter(([type]) => type === RepoAdded.name);
    expect(added).toHaveLength(1);
    expect(await other.listRegisteredRepos(ctx, {})).toEqual(await registry.listRegisteredRepos(ctx, {}));
  });

  it('passes over what is no registry of its own', async () => {
    await using current = await start();
    const { registry, conn } = current;
    await registry.initRegistry(ctx, {});
    for (const stream of ['registry.Main', 'registry.~20', 'registry.a_b', 'registry.new', 'registry.main.more'])
      await conn.publish(ctx, stream, { type: 'tea.CupPoured', data: Data.string('with milk') });
    await conn.publish(ctx, 'registry.main', { type: 'registry.RegistryPainted' });
    const main = { registry: 'main', repos: 0, ephemeralWorkflows: null };
    expect(await registry.listRegistries(ctx, {})).toEqual([main]);
    await expect(registry.getRegistry(ctx, { registry: 'new' })).rejects.toThrow('no registry new');
    expect(await registry.initRegistry(ctx, { registry: 'new' })).toEqual({ ...main, registry: 'new' });
  });
});
