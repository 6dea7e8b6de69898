import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { background as ctx } from '@samovar/context';
import { type Conn, Data, type EventId } from '@samovar/eda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Exit, SamovarCommand } from './command.ts';
import { describeOnLogs, type TestLog } from './logs.ts';

let data: string;
let log: TestLog;
let conn: Conn;
let ids: EventId[];
let broken: boolean;
let handled: EventId[];

describeOnLogs((_, freshLog) => {
  describe('parked events', () => parking(freshLog));
});

function parking(freshLog: () => TestLog): void {
  /** A consumer that fails twice at the first of three events of one stream, and parks it. */
  beforeEach(async () => {
    data = join(mkdtempSync(join(tmpdir(), 'samovar-')), 'data');
    mkdirSync(data);
    log = freshLog();
    conn = await log.connect(data);
    broken = true;
    handled = [];
    const tea = (n: number) => ({ type: 'tea.Poured', data: Data.json({ n }) });
    ids = await conn.publishAll(ctx, 'tea.pot', [tea(1), tea(2), tea(3)]);
    await conn.subscribe(
      'tea.*',
      (_ctx, { id }) => {
        if (broken && id === ids[0]) throw new Error('too hot');
        handled.push(id);
      },
      { name: 'guests', durable: true, backfill: true, keyBy: 'stream', maxDeliver: 2 },
    );
    await vi.waitUntil(async () => (await conn.parked('guests').count(ctx)) === 1);
  });
  afterEach(async () => {
    await conn.close();
    rmSync(join(data, '..'), { recursive: true });
  });

  it('lists what is parked, of one subscription or of all, beside the process that delivers', async () => {
    await vi.waitFor(async () => {
      const { code, stdout } = await parked('list');
      expect(code).toBe(0);
      expect(stdout).toMatch(
        new RegExp(
          `^guests: ${ids[0]} tea\\.Poured on tea\\.pot \\(key tea\\.pot\\), 2 waiting behind it\n  parked .*too hot\n$`,
        ),
      );
    }, 20_000);
    expect(await parked('list', 'guests')).toMatchObject({ code: 0, stdout: expect.stringContaining('too hot') });
    expect(await parked('list', 'nobody')).toMatchObject({ code: 0, stdout: 'nothing is parked\n' });
  });

  it('replays, once it is said what that would deliver', async () => {
    expect(await parked('replay', 'guests', '--limit', '0')).toMatchObject({ code: 2 });
    const foretold = await parked('replay', 'guests', '--dry-run');
    expect(foretold).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d events would be handled again, of .*\n$/),
    });
    expect(handled).toEqual([]);
    broken = false;
    expect(await parked('replay', 'guests', ids[0] as string)).toMatchObject({ code: 0 });
    await vi.waitUntil(() => handled.length === 3);
    expect(handled).toEqual(ids);
    await vi.waitFor(async () => expect(await parked('list')).toMatchObject({ stdout: 'nothing is parked\n' }), 20_000);
  });

  it('skips, and what waits behind goes on', async () => {
    expect(await parked('skip', 'guests', ids[0] as string)).toMatchObject({ code: 0, stdout: `skipped ${ids[0]}\n` });
    await vi.waitUntil(() => handled.length === 2);
    expect(handled).toEqual(ids.slice(1));
    expect(await parked('skip', 'guests', ids[0] as string)).toMatchObject({
      stderr: expect.stringContaining('is not parked'),
    });
  });
}

describeOnLogs((_name, freshLog) => {
  it('makes no log where there is none', async () => {
    const nowhere = join(tmpdir(), 'samovar-nowhere');
    const { env, connect } = freshLog();
    const command = { cwd: tmpdir(), env: { PATH: process.env.PATH, ...env } };
    await using samovar = new SamovarCommand(['parked', 'list', '--data', nowhere], command);
    expect(await samovar.exited).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no event log') });
    await expect(connect(nowhere, false)).rejects.toMatchObject({ id: 'eda.logNotFound' });
    expect(existsSync(nowhere)).toBe(false);
  });
});

async function parked(...args: string[]): Promise<Exit> {
  const command = { cwd: data, env: { PATH: process.env.PATH, ...log.env } };
  await using samovar = new SamovarCommand(['parked', ...args, '--data', data], command);
  return await samovar.exited;
}
