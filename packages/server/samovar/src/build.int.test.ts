import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as activity from '@samovar/activity';
import * as api from '@samovar/api';
import * as bus from '@samovar/bus';
import { background, withCancel } from '@samovar/context';
import * as db from '@samovar/db';
import * as eda from '@samovar/eda';
import * as observer from '@samovar/observer';
import * as outbox from '@samovar/outbox';
import * as registry from '@samovar/registry';
import * as repos from '@samovar/repos';
import * as server from '@samovar/server';
import * as workflows from '@samovar/workflows';
import { Container, ContainerModule, type Newable } from 'inversify';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { build, close } from './build.ts';
import { loadConfig } from './config.ts';
import { modules } from './modules.ts';
import { run } from './run.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'samovar-'))));
afterEach(() => rmSync(folder, { recursive: true }));

async function buildInMemory(port = 0, ...overrides: ContainerModule[]): Promise<Container> {
  const flags = { data: folder, events: 'memory:', port, logLevel: 'silent' };
  return await build(loadConfig({ flags, env: {}, cwd: folder }), ...overrides);
}

it('everything that the roots promise can be had', async () => {
  const container = await buildInMemory();
  onTestFinished(() => close(container));
  const roots = [activity, api, bus, db, eda, observer, outbox, registry, repos, server, workflows];
  const exported = roots.flatMap((root) => Object.entries<unknown>({ ...root }));
  const bound = exported.filter(([, value]) => typeof value === 'function' && container.isBound(value as Newable));
  expect(bound.map(([name]) => name).toSorted()).toEqual([
    'BackgroundService',
    'Bus',
    'Check',
    'Conn',
    'Consumer',
    'Consumers',
    'Db',
    'DurableEvents',
    'Engines',
    'EntityEvents',
    'HttpApi',
    'Initializer',
    'Leases',
    'Logger',
    'Migrations',
    'Observer',
    'Outbox',
    'Readiness',
    'Registry',
    'Repos',
    'Server',
    'Workers',
    'Workflows',
  ]);
  for (const [name, token] of bound) expect(container.getAll(token as Newable), name).not.toEqual([]);
  expect(container.getAll(server.BackgroundService).map(({ name }) => name)).toEqual([
    'outbox relay',
    'activities',
    'observer',
    'consumers',
    'http',
  ]);
});

it.each(['memory:', 'nats://127.0.0.1:1'])('leases last as long as is set, with the log at %s', async (events) => {
  const container = new Container();
  const silent: server.Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
  container.bind(server.Logger).toConstantValue(silent);
  container.load(...modules(loadConfig({ flags: { data: folder, events, leaseMs: 2_000 }, env: {}, cwd: folder })));
  onTestFinished(() => container.unbindAsync(db.Db));
  expect(container.get(activity.Workers).leaseMs).toBe(2_000);
});

it('an override replaces what it binds anew', async () => {
  const mine: server.Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => mine };
  const override = new ContainerModule(({ rebind }) => void rebind(server.Logger).toConstantValue(mine));
  const container = await buildInMemory(0, override);
  onTestFinished(() => close(container));
  expect(container.get(server.Logger)).toBe(mine);
});

it('runs until its context is done, and closes the log, then the database last', async () => {
  const container = await buildInMemory();
  const { ctx, cancel } = withCancel(background);
  const { url, stopped } = await run(ctx, container);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  const conn = container.get(eda.Conn);
  const database = container.get(db.Db);
  const read = () => database.query(background).introspection.getTables();
  expect(await conn.head(background, 'none')).toBeNull();
  const closing = vi.spyOn(conn, 'close');
  const begun = Promise.withResolvers<void>();
  const handled: unknown[] = [];
  await conn.subscribe('tea', async () => {
    begun.resolve();
    await vi.waitUntil(() => closing.mock.calls.length > 0);
    handled.push(await read());
  });
  await conn.publish(background, 'tea', { type: 'poured' });
  await begun.promise;
  cancel();
  await stopped;
  // The handler in flight was waited for, and had the database as long as it ran.
  expect(handled).toEqual([expect.any(Array)]);
  await expect(conn.head(background, 'none')).rejects.toMatchObject({ id: 'eda.closed' });
  await expect(read()).rejects.toThrow(/not open/);
});

it('says why it did not start, and closes the log and the database', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const container = await buildInMemory((other.address() as AddressInfo).port);
  const database = container.get(db.Db);
  await expect(run(background, container)).rejects.toMatchObject({ id: 'api.cannotListen' });
  await expect(container.get(eda.Conn).head(background, 'none')).rejects.toMatchObject({ id: 'eda.closed' });
  await expect(database.query(background).introspection.getTables()).rejects.toThrow(/not open/);
});

it('does not start where the database cannot be opened, and closes the log', async () => {
  const flags = { data: folder, events: 'memory:', port: 0, database: 'sqlite:no/folder' };
  const container = await build(loadConfig({ flags, env: {}, cwd: folder }));
  await expect(run(background, container)).rejects.toThrow(/cannot open the database .*no.folder/);
  await expect(container.get(eda.Conn).head(background, 'none')).rejects.toMatchObject({ id: 'eda.closed' });
});

it('does not start under a context that is done', async () => {
  const container = await buildInMemory();
  const { ctx, cancel } = withCancel(background);
  cancel();
  await expect(run(ctx, container)).rejects.toMatchObject({ status: 'canceled' });
});
