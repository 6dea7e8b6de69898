import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { background as ctx, withCancel } from '@samovar/context';
import { type Conn, newEvent } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { CommitsRecorded, repoStream, type Uuid } from '@samovar/repos';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aggregatedState } from './aggregatedstate.ts';
import { causalGraph } from './causalgraph.ts';
import { clock } from './clock.ts';
import { engineNames, heralds } from './heralds.ts';
import { stdout } from './stdout.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samovar-examples-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function printed(run: (print: (line: string) => void) => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  await run((line) => lines.push(line));
  return lines;
}

describe('on memory', () => examples(() => connect('memory:')));
describe('on SQLite', () => examples(() => connect(`sqlite:${join(folder, 'events.db')}`)));
describe.skipIf(natsLacking() !== undefined)('on NATS', () => {
  let server: NatsServer;
  beforeEach(async () => {
    server = await NatsServer.start();
  });
  afterEach(() => server[Symbol.asyncDispose]());
  examples(() => connect(server.url, { logger: null }));
});

function examples(connect: () => Promise<Conn>): void {
  it('clock ticks, and tocks because of it; causal-graph shows that, stdout all', async () => {
    await using conn = await connect();
    const beats = await printed((print) => clock(ctx, conn, print, { beats: 3, everyMs: 1 }));
    expect(beats.map((line) => line.slice(0, 6)).toSorted()).toEqual([
      'tick 1',
      'tick 2',
      'tick 3',
      'tock 1',
      'tock 2',
      'tock 3',
    ]);
    const graph = await printed((print) => causalGraph(ctx, conn, print, { selector: 'clock.*' }));
    expect(graph.filter((line) => line.includes('->'))).toHaveLength(3);
    expect([graph[0], graph.at(-1)]).toEqual(['digraph events {', '}']);
    const events = await printed((print) => stdout(ctx, conn, print, { selector: 'clock.ticks', follow: false }));
    expect(events.map((line) => JSON.parse(line).data)).toEqual([{ beat: 1 }, { beat: 2 }, { beat: 3 }]);
  });

  it('aggregated-state adds up both producers, and earlier runs', async () => {
    await using conn = await connect();
    const run = () => printed((print) => aggregatedState(ctx, conn, print, { changes: 30 }));
    expect(await run()).toEqual(['cups: 20', 'pots: 20', 'spoons: 20']);
    expect(await run()).toEqual(['cups: 40', 'pots: 40', 'spoons: 40']);
  });

  it.each(engineNames)(
    'herald tells of what is recorded, before and after it began, on the %s engine',
    async (engine) => {
      await using conn = await connect();
      await record(conn, 'Boil water');
      using scope = withCancel(ctx);
      const lines: string[] = [];
      const telling = heralds(scope.ctx, conn, (line) => lines.push(line), { engine });
      await vi.waitFor(() => expect(lines).toEqual(['b0b0b0b Ann: Boil water']), 10_000);
      await record(conn, 'Pour tea');
      await vi.waitFor(() => expect(lines.slice(1)).toEqual(['b0b0b0b Ann: Pour tea']), 10_000);
      scope.cancel();
      await telling;
    },
  );
}

const repoId = '0190f3a4-5b6c-7d8e-9f00-112233445566' as Uuid;

async function record(conn: Conn, subject: string): Promise<void> {
  const author = { name: 'Ann', email: 'ann@example.org' };
  const commit = { hash: 'b0'.repeat(20), parents: [], author, committedAt: '2026-01-01T00:00:00Z', subject };
  await conn.publish(ctx, repoStream(repoId), newEvent(CommitsRecorded, { repoId, commits: [commit] }));
}
