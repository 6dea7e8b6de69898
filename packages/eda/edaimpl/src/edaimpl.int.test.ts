import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { background as ctx } from '@samovar/context';
import { Data } from '@samovar/eda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect } from './edaimpl.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('connect', () => {
  it('opens one SQLite file by each of its URLs', async () => {
    const path = join(folder, 'events.db');
    const urls = [`sqlite:${path}`, `sqlite://${path}`, `SQLite:${relative(process.cwd(), path)}`];
    const conns = await Promise.all(urls.map((url) => connect(url)));
    const id = await conns[0]?.publish(ctx, 's', { type: 't' });
    for (const conn of conns) expect(await conn.head(ctx, 's')).toBe(id);
    await Promise.all(conns.map((conn) => conn.close()));
    expect(readdirSync(folder)).toEqual(['events.db']);
  });

  it('opens logs in memory, shared by name or not at all', async () => {
    const conns = await Promise.all(['memory:', 'memory:', 'memory:a', 'memory:a'].map((url) => connect(url)));
    await conns[0]?.publish(ctx, 's', { type: 't' });
    await conns[2]?.publish(ctx, 's', { type: 't' });
    const heads = await Promise.all(conns.map((conn) => conn.head(ctx, 's')));
    expect(heads.map((head) => head !== null)).toEqual([true, false, true, true]);
    await Promise.all(conns.map((conn) => conn.close()));
  });

  it.each([false, true])('makes no log when it is not to, and opens one that is there: %s', async (isThere) => {
    const logs = [`sqlite:${join(folder, 'events.db')}`, 'memory:tea'];
    const keepers = isThere ? await Promise.all(logs.map((url) => connect(url))) : [];
    for (const url of isThere ? logs : [...logs, 'memory:', `sqlite:${join(folder, 'nowhere/events.db')}`]) {
      const opened = connect(url, { create: false }).then((conn) => conn.close());
      if (isThere) await opened;
      else await expect(opened).rejects.toMatchObject({ id: 'eda.logNotFound', status: 'not_found' });
    }
    await Promise.all(keepers.map((conn) => conn.close()));
    expect(readdirSync(folder)).toEqual(isThere ? ['events.db'] : []);
  });

  it('refuses what only a server can do, and no name that a server would know', async () => {
    for (const url of ['memory:', `sqlite:${join(folder, 'events.db')}`]) {
      for (const options of [{ replicas: 3 }, { maxLogBytes: 1e9 }]) {
        const details = { field: Object.keys(options)[0] };
        await expect(connect(url, options)).rejects.toMatchObject({ id: 'eda.invalidArgument', details });
      }
      for (const options of [{ replicas: 0 }, { maxLogBytes: 1 }, { create: 1 as unknown as boolean }]) {
        await expect(connect(url, options)).rejects.toMatchObject({ id: 'eda.invalidArgument' });
      }
      expect(readdirSync(folder)).toEqual([]);
      await (await connect(url, { replicas: 1, cluster: 'tea' })).close();
    }
  });

  it('is silent, or says on the console, which handlers fail', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    for (const [options, times] of [
      [{ logger: null }, 0],
      [{}, 1],
    ] as const) {
      await using conn = await connect('memory:', options);
      const sub = await conn.subscribe('s', (_, { deliveries }) =>
        deliveries === 1 ? Promise.reject(new Error('x')) : undefined,
      );
      await conn.publish(ctx, 's', { type: 't' });
      await sub.caughtUp(ctx);
      expect(said).toHaveBeenCalledTimes(times);
    }
    said.mockRestore();
  });

  it.each(['', 'events.db', 'http://x', 'sqlite:', 'sqlite://host/x', ':memory:'])(
    'refuses %j, and names what it knows',
    async (url) => {
      await expect(connect(url)).rejects.toMatchObject({ id: 'eda.invalidArgument', details: { field: 'url' } });
      await expect(connect(url)).rejects.toThrow('sqlite:');
    },
  );

  it.each([
    'postgres://ann:s3cret@host/db',
    'natz://ann:s3cret@host:4222',
    'sqlite://ann:s3cret@host/events.db',
    'ann:s3cret@host',
  ])('tells no password of the URL it refuses: %s', async (url) => {
    const error: Error = await connect(url).then(
      () => expect.fail('this should have been refused'),
      (refused) => refused,
    );
    const told = [error.message, String(error), JSON.stringify(error), String(error.cause)].join();
    expect(told).not.toContain('s3cret');
  });

  it('says where it has looked for NATS in vain, and tells nobody the password', async () => {
    const failed = connect('nats://me:secret@127.0.0.1:1');
    await expect(failed).rejects.toMatchObject({ id: 'eda.logUnavailable', message: /127\.0\.0\.1:1/ });
    await expect(failed).rejects.not.toThrow('secret');
    await expect(connect('mysql://me:secret@host/x')).rejects.not.toThrow('secret');
  });

  it.each(['memory:', 'sqlite:'])('%s refuses wrong options', async (scheme) => {
    const url = scheme === 'sqlite:' ? `sqlite:${join(folder, 'x.db')}` : scheme;
    await expect(connect(url, { client: 'x'.repeat(256) })).rejects.toMatchObject({ details: { field: 'client' } });
    for (const maxCommitBytes of [0, 1023, 64 * 1024 * 1024 + 1, 1024.5, Number.NaN, '1024' as never]) {
      await expect(connect(url, { maxCommitBytes })).rejects.toMatchObject({ details: { field: 'maxCommitBytes' } });
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(['memory', 'sqlite'])(
    '%s takes commits of as many bytes as it is told, and stores nothing of others',
    async (scheme) => {
      await using conn = await connect(scheme === 'sqlite' ? `sqlite:${join(folder, 'x.db')}` : 'memory:', {
        maxCommitBytes: 1024,
      });
      const event = (length: number) => ({ type: 't', data: Data.string('\u{1F375}'.repeat(length / 4)) });
      const refused = { id: 'eda.invalidArgument', details: { field: 'data' } };
      await expect(conn.publish(ctx, 's', event(1028))).rejects.toMatchObject(refused);
      await expect(conn.publish(ctx, 's', event(1028))).rejects.toThrow('maxCommitBytes');
      await expect(conn.publishAll(ctx, 's', [event(512), event(516)])).rejects.toMatchObject(refused);
      expect(await conn.head(ctx, 's')).toBeNull();
      await conn.publishAll(ctx, 's', [event(512), event(512)]);
      await conn.publish(ctx, 's', event(1024));
    },
  );
});
