import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { background as ctx } from '@samovar/context';
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

  it('does not know NATS yet', async () => {
    await expect(connect('nats://localhost:4222')).rejects.toMatchObject({ status: 'unimplemented' });
  });

  it.each(['memory:', 'sqlite:'])('%s refuses wrong options', async (scheme) => {
    const url = scheme === 'sqlite:' ? `sqlite:${join(folder, 'x.db')}` : scheme;
    await expect(connect(url, { client: 'x'.repeat(256) })).rejects.toMatchObject({ details: { field: 'client' } });
    expect(readdirSync(folder)).toEqual([]);
  });
});
