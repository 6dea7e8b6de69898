import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as dial } from '@nats-io/transport-node';
import { background } from '@samovar/context';
import { type Conn, Data, type EventJson, eventToJson, type NewEvent } from '@samovar/eda';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { describe, expect, it } from 'vitest';
import { connect } from './edaimpl.ts';

const reader = fileURLToPath(new URL('./reader.py', import.meta.url));
const proto = fileURLToPath(new URL('../../edacore/src/wire/samovar/eda/v1/commit.proto', import.meta.url));

/** Whether one of the programs is not there; that is an error in continuous integration, and otherwise told. */
function lacks(...programs: readonly string[]): boolean {
  const missing = programs.filter((program) => spawnSync(program, ['--version']).status !== 0);
  if (missing.length === 0) return false;
  const why = `${missing.join(' and ')} cannot be run: apt-get install -y python3 protobuf-compiler`;
  if (process.env.CI) throw new Error(why);
  console.warn(`SKIPPED: ${why}`);
  return true;
}

function readIn(python: readonly string[], input = ''): EventJson[] {
  const { status, stdout, stderr } = spawnSync('python3', [reader, ...python], { input, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as EventJson);
}

const payloads = [
  Data.nil,
  Data.json({ cup: 'čaj', n: [1, 0.5, null], '': true }),
  Data.string('茶 "hot"\n\\ \u0000'),
  Data.string(''),
  Data.bytes(Uint8Array.of(0, 1, 34, 92, 127, 254, 255)),
  Data.bytes(new Uint8Array(0)),
  Data.decode('proto', Uint8Array.of(8, 42)),
];

/** Two streams, of which one is erased, with every kind of payload and every field; what is stored, as we read it. */
async function fill(conn: Conn): Promise<EventJson[]> {
  await conn.publish(background, 'cups.broken', { type: 'tea.Poured' });
  const cause = await conn.publish(background, 'cups.~C3~BC', { type: 'tea.Ordered', time: new Date(0) });
  const poured = (data: Data): NewEvent => ({ type: 'tea.Poured', data });
  await conn.publishAll(background, 'cups.1', payloads.map(poured));
  await conn.publish(background, 'cups.1', {
    type: 'tea.Gegossen 🫖',
    data: Data.json('all'),
    time: new Date('1969-07-20T20:17:40.123Z'),
    schema: '2',
    aggregate: 'pot "7"',
    cause,
    meta: { guest: 'žofie', '': 'no name', quote: '"\\\n', empty: '' },
  });
  await conn.erase(background, 'cups.broken');
  const events: EventJson[] = [];
  for await (const event of conn.read(background, '>')) events.push(eventToJson(event));
  return events;
}

function checkRead(read: readonly EventJson[], ours: readonly EventJson[]): void {
  expect(read).toEqual(ours);
  expect(read).toHaveLength(2 + payloads.length);
  expect(read.slice(1, -1).map(({ dataType, data }) => [dataType, data])).toEqual([
    ['nil', null],
    ['json', { cup: 'čaj', n: [1, 0.5, null], '': true }],
    ['string', '茶 "hot"\n\\ \u0000'],
    ['string', ''],
    ['bytes', { base64: 'AAEiXH/+/w==' }],
    ['bytes', { base64: '' }],
    ['proto', { base64: 'CCo=' }],
  ]);
  expect(read.at(-1)).toMatchObject({
    stream: 'cups.1',
    type: 'tea.Gegossen 🫖',
    time: '1969-07-20T20:17:40.123Z',
    schema: '2',
    client: 'kitchen 2',
    aggregate: 'pot "7"',
    cause: read[0]?.id,
    meta: { guest: 'žofie', '': 'no name', quote: '"\\\n', empty: '' },
  });
}

describe('a program in another language reads what is stored', () => {
  it.skipIf(lacks('python3'))('in a SQLite file, while it is open here', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'samovar-'));
    try {
      const path = join(folder, 'events.db');
      await using conn = await connect(`sqlite:${path}`, { client: 'kitchen 2' });
      const ours = await fill(conn);
      checkRead(readIn(['sqlite', path]), ours);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.skipIf(natsLacking() !== undefined || lacks('python3', 'protoc'))('in the messages of JetStream', async () => {
    await using server = await NatsServer.start();
    await using conn = await connect(server.url, { client: 'kitchen 2', cluster: 'tea' });
    const ours = await fill(conn);
    const nc = await dial({ servers: server.url });
    try {
      checkRead(readIn(['commits', proto], await messagesOf(await jetstreamManager(nc), 'tea')), ours);
    } finally {
      await nc.close();
    }
  });
});

/** All messages of a log's JetStream stream that are not deleted, as the reader takes them. */
async function messagesOf({ streams }: Awaited<ReturnType<typeof jetstreamManager>>, log: string): Promise<string> {
  const { config, state } = await streams.info(log, { deleted_details: true });
  const lines: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    if (state.deleted?.includes(seq)) continue;
    const message = await streams.getMessage(log, { seq });
    if (message === null) throw new Error(`there is no message ${seq}`);
    const { number } = JSON.parse(config.description as string) as { number: number };
    const stream = message.subject.slice(`${log}.events.`.length);
    const payload = Buffer.from(message.data).toString('base64');
    lines.push(JSON.stringify({ log: number, stream, sequence: seq, time: message.time.getTime(), payload }));
  }
  return lines.join('\n');
}
