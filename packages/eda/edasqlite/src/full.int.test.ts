import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** A namespace of its own lets a process mount a small file system that is gone with it, with or without being root. */
const apart = [
  ['unshare', '-m'],
  ['unshare', '-Urm'],
].find(
  ([command = '', flags = '']) => spawnSync(command, [flags, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0,
);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a full disk', () => {
  const title = 'refuses publications and goes on reading, until there is room again';
  const skipped = apart === undefined && !process.env.CI;
  it.skipIf(skipped)(
    skipped ? `${title} (skipped: no small file system can be mounted; run as root, or allow user namespaces)` : title,
    () => expect(inSmallFolder(apart ?? [])).toEqual(expected),
    60_000,
  );
});

const expected = {
  refused: 'eda.logFull',
  both: ['rejected', 'rejected'],
  read: true,
  next: 'eda.logFull',
  later: true,
  ids: true,
};

/** Runs the program on a file system of 12 MiB, and answers with what it says. */
function inSmallFolder([command = '', ...flags]: readonly string[]): unknown {
  const node = [process.execPath, '--conditions=@samovar/source', '--input-type=module', '--eval', program];
  const mounted = `mount -t tmpfs -o size=12m none "$0" && exec "$@"`;
  const options = { cwd: join(import.meta.dirname, '..'), encoding: 'utf8' as const, timeout: 50_000 };
  const said = execFileSync(command, [...flags, 'sh', '-c', mounted, folder, ...node, folder], options);
  return JSON.parse(said);
}

const program = `
  import { rmSync, writeFileSync } from 'node:fs';
  import { background as ctx } from '@samovar/context';
  import { Data } from '@samovar/eda';
  const { connectSqlite } = await import('./src/edasqlite.ts');
  const folder = process.argv[1];
  writeFileSync(folder + '/filler', Buffer.alloc(5 * 1024 * 1024));
  const conn = connectSqlite(folder + '/events.db', { logger: null });
  const event = (n) => ({ type: 't', data: Data.json({ n, text: 'x'.repeat(20_000) }) });
  const ids = [];
  let refused;
  while (refused === undefined) {
    await conn.publish(ctx, 's', event(ids.length)).then((id) => ids.push(id), (error) => { refused = error.id; });
  }
  const both = await Promise.allSettled([conn.publish(ctx, 's', event(0)), conn.publish(ctx, 's', event(0))]);
  const read = async () => {
    const found = [];
    for await (const { id } of conn.read(ctx, 's')) found.push(id);
    return JSON.stringify(found) === JSON.stringify(ids);
  };
  const isRead = await read();
  const next = await conn.publish(ctx, 's', event(0), { expectedHead: ids.at(-1) }).catch((error) => error.id);
  rmSync(folder + '/filler');
  for (let n = 0; n < 20; n++) ids.push(await conn.publish(ctx, 's', event(n), { expectedHead: ids.at(-1) }));
  const later = await read();
  await conn.close();
  const sorted = ids.toSorted();
  const areRight = new Set(ids).size === ids.length && ids.every((id, i) => id === sorted[i]);
  const said = { refused, both: both.map(({ status }) => status), read: isRead, next, later, ids: areRight };
  process.stdout.write(JSON.stringify(said));
`;
