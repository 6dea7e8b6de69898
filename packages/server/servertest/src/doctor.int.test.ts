import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Exit, SamovarCommand } from './command.ts';
import { describeOnLogs, describeOnNats } from './logs.ts';
import { startServer } from './servertest.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Exit> {
  const command = { cwd: folder, env: { PATH: process.env.PATH, ...env } };
  await using samovar = new SamovarCommand([...args, '--data', join(folder, 'data')], command);
  return await samovar.exited;
}

/** Its exit code, and its findings of warnings and errors. */
async function examine(env: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await run(env, 'doctor', '--json');
  const { checks, ...counts } = JSON.parse(stdout);
  const all = checks.flatMap(({ check, findings }: { check: string; findings: object[] }) =>
    findings.map((finding) => ({ check, ...finding })),
  );
  return { code, stderr, counts, findings: all.filter(({ severity }: { severity: string }) => severity !== 'note') };
}

function change(sql: string): void {
  const db = new DatabaseSync(join(folder, 'data/samovar.db'));
  db.exec(sql);
  db.close();
}

it('finds all well with a server that has never run, and makes nothing', async () => {
  expect(await examine()).toMatchObject({ code: 0, stderr: '', counts: { healthy: true, errors: 0 }, findings: [] });
  expect(readdirSync(folder)).toEqual([]);
});

describeOnNats((freshLog) => {
  it('makes nothing on a server that keeps no log yet either', async () => {
    const log = freshLog();
    expect(await examine({ ...log.env, SAMOVAR_EVENTS_REPLICAS: '3' })).toMatchObject({
      code: 0,
      stderr: '',
      findings: [],
    });
    await expect(log.connect(folder, false)).rejects.toMatchObject({ id: 'eda.logNotFound' });
    expect(readdirSync(folder)).toEqual([]);
  });
});

it('tells people line by line', async () => {
  const { code, stdout } = await run({}, 'doctor');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ok {7}tokens\nok {7}initialisation\n.*ok {7}database\nok {7}outbox\n/s);
  expect(stdout).toMatch(/\n0 errors, 0 warnings, \d+ notes\n$/);
});

describeOnLogs((_name, freshLog) => {
  it('looks at a server that is running', async () => {
    mkdirSync(join(folder, 'data'));
    const { settings, env } = freshLog();
    await using _server = await startServer({ data: join(folder, 'data'), ...settings });
    expect(await examine(env)).toMatchObject({ code: 0, findings: [] });
  });

  it('finds a subscription that is stored for another selector', async () => {
    expect(await run({}, 'migrate')).toMatchObject({ code: 0 });
    const log = freshLog();
    await using conn = await log.connect(join(folder, 'data'));
    await conn.subscribe('tea.*', () => {}, { name: 'stickers.counts', durable: true });
    expect(await examine(log.env)).toMatchObject({
      code: 1,
      findings: [{ check: 'consumers', severity: 'error', message: expect.stringContaining('stickers.counts') }],
    });
  });
});

describe('with a database', () => {
  beforeEach(async () => {
    expect(await run({}, 'migrate')).toMatchObject({ code: 0 });
  });

  it('finds migrations that are pending where no start runs them', async () => {
    change("DELETE FROM db_migrations WHERE service = 'badges'");
    expect(await examine()).toMatchObject({ code: 0, counts: { healthy: true }, findings: [] });
    expect(await examine({ SAMOVAR_MIGRATE_AT_START: 'false' })).toMatchObject({
      code: 1,
      stderr: 'samovar: not all is well: 1 error, see above\n',
      findings: [{ check: 'database', severity: 'error', message: expect.stringContaining('badges/') }],
    });
  });

  it('finds an event that is stuck in the outbox', async () => {
    change(`INSERT INTO outbox_rows (id, stream, type, event, size, created, attempts, error)
      VALUES ('01933333-3333-7333-8333-333333333333', 'tea.pot', 'tea.TeaSpoilt', '{}', 2, 0, 9, 'too hot')`);
    expect(await examine()).toMatchObject({
      code: 1,
      findings: [{ check: 'outbox', severity: 'error', message: expect.stringMatching(/tea\.pot .*too hot/) }],
    });
  });
});

it('says what cannot be opened', async () => {
  expect(await examine({ SAMOVAR_DATABASE: 'postgres://nobody:secret@127.0.0.1:1/none' })).toMatchObject({
    code: 1,
    findings: expect.arrayContaining([
      expect.objectContaining({
        check: 'database',
        severity: 'error',
        message: expect.stringMatching(/cannot be reached/),
      }),
    ]),
  });
});
