import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { background } from '@samovar/context';
import { Conn, Consumer } from '@samovar/eda';
import { Check, type Finding } from '@samovar/server';
import { Container } from 'inversify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect } from './edaimpl.ts';
import { consumersModule } from './module.ts';

function consumer(part: Partial<Pick<Consumer, 'name' | 'selector' | 'options'>>): Consumer {
  const options = { backfill: true };
  return { name: 'tea.cups', selector: 'tea.*', events: 'all', options, handle: () => {}, ...part };
}

/** What is found by the checks of a server that is not started. */
async function findings(conn: Conn, ...consumers: Consumer[]): Promise<readonly Finding[]> {
  const container = new Container();
  container.load(consumersModule);
  container.bind(Conn).toConstantValue(conn);
  for (const consumer of consumers) container.bind(Consumer).toConstantValue(consumer);
  const checks = container.getAll(Check);
  expect(checks.map(({ name }) => name)).toEqual(['consumers']);
  return (await Promise.all(checks.map((check) => check.check(background)))).flat();
}

describe.each(['memory', 'SQLite'])('the check of consumers, on a log in %s', (backend) => {
  let conn: Conn;
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'samovar-eda-'));
    conn = await connect(backend === 'memory' ? 'memory:' : `sqlite:${join(folder, 'events.db')}`);
    for (const name of ['tea.cups', 'tea.gone']) {
      const subscription = await conn.subscribe('tea.*', () => {}, { name, durable: true, backfill: true });
      await subscription.close();
    }
  });
  afterEach(async () => {
    await conn.close();
    rmSync(folder, { recursive: true });
  });

  it('finds nothing where there is nothing', async () => {
    await using empty = await connect('memory:');
    expect(await findings(empty)).toEqual([]);
    expect(await findings(empty, consumer({}))).toEqual([]);
  });

  it('finds nothing where all is as it is stored, or is new', async () => {
    const found = await findings(conn, consumer({}), consumer({ name: 'tea.gone' }), consumer({ name: 'tea.new' }));
    expect(found).toEqual([]);
  });

  it('finds events that a consumer has given up worth a warning', async () => {
    const options = { backfill: true, maxDeliver: 1 };
    const broken = () => Promise.reject(new Error('too hot'));
    await using _spilling = await conn.subscribe('tea.*', broken, { ...options, name: 'tea.spilt', durable: true });
    await conn.publish(background, 'tea.cup', { type: 'tea.Poured' });
    await vi.waitUntil(async () => (await conn.parked('tea.spilt').count(background)) === 1);
    const found = await findings(
      conn,
      consumer({}),
      consumer({ name: 'tea.gone' }),
      consumer({ name: 'tea.spilt', options }),
    );
    expect(found.map(({ severity, message }) => [severity, message])).toEqual([
      ['warning', expect.stringMatching(/^consumer tea\.spilt has given up 1 event, the oldest since 20/)],
    ]);
  });

  it('finds another selector an error, other options and what is left over worth a warning', async () => {
    const options = { timeout: 5000 };
    const found = await findings(conn, consumer({ name: 'tea.gone', options }), consumer({ selector: 'tea.>' }));
    expect(found.map(({ severity, message }) => [severity, message])).toEqual([
      ['error', 'consumer tea.cups cannot be started: it follows tea.>, its stored subscription tea.*'],
      [
        'warning',
        'consumer tea.gone has other options than its stored subscription: backfill is false, stored is true; timeout is 5000, stored is 30000',
      ],
    ]);
    expect(found[0]?.mend).toMatch(/new name/);
    expect(found[1]?.mend).toMatch(/next start.*backfill only counts/);
    const [left] = await findings(conn, consumer({}));
    expect(left).toMatchObject({
      severity: 'warning',
      message: expect.stringMatching(/^left over: .* tea\.gone to tea\.\*/),
    });
  });

  it('finds another order or another number of attempts worth a warning', async () => {
    const name = 'tea.ordered';
    const stored = { name, durable: true, keyBy: () => 'tea', maxDeliver: Number.POSITIVE_INFINITY };
    await (await conn.subscribe('tea.*', () => {}, stored)).close();
    const messages = async (options: Consumer['options']) => {
      const found = await findings(conn, consumer({ name, options }), consumer({}), consumer({ name: 'tea.gone' }));
      return found.map(({ severity, message }) => [severity, message.split(': ')[1]]);
    };
    const same = { keyBy: () => 'other', maxDeliver: Number.POSITIVE_INFINITY };
    expect(await messages(same)).toEqual([]);
    expect(await messages({ keyBy: 'stream', maxDeliver: 3 })).toEqual([
      ['warning', 'keyBy is stream, stored is function; maxDeliver is 3, stored is none'],
    ]);
    expect(await messages({ serial: true })).toEqual([
      [
        'warning',
        'serial is true, stored is false; concurrency is 1, stored is 64; keyBy is none, stored is function; maxDeliver is 10, stored is none',
      ],
    ]);
  });

  it('finds an error in what the log would refuse at the start', async () => {
    const [first, second] = await findings(
      conn,
      consumer({ selector: 'tea..x' }),
      consumer({ name: 'tea.gone', options: { concurrency: 0 } }),
    );
    expect(first).toMatchObject({ severity: 'error', message: expect.stringMatching(/^consumer tea\.cups cannot/) });
    expect(second).toMatchObject({ severity: 'error', message: expect.stringMatching(/tea\.gone .*concurrency/) });
  });
});
