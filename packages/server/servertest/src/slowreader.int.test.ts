import { mkdir, readFile } from 'node:fs/promises';
import { connect as openSocket, type Socket } from 'node:net';
import { join } from 'node:path';
import { background } from '@samovar/context';
import { Data } from '@samovar/eda';
import { GitFolder } from '@samovar/repostest/git';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { SamovarCommand } from './command.ts';
import { describeOnLogs, type LogName, type TestLog } from './logs.ts';

const mebibyte = 1_048_576;
const readers = 10;
/**
 * What a reader that does not read may hold, with what the collector has yet to free: of SQLite a page and its text, of
 * NATS what two requests bring, each at most twice the largest message. Held whole, the log would be 120 MiB for each.
 */
const most: Readonly<Record<LogName, number>> = { SQLite: 30 * mebibyte, 'NATS JetStream': 50 * mebibyte };

async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

/** A log of 120 MiB. */
async function fill(): Promise<void> {
  await using conn = await log.connect(data);
  const event = { type: 'test.Weighed', data: Data.string('x'.repeat(mebibyte / 4)) };
  for (let n = 0; n < 480; n++) await conn.publish(background, 'heavy', event);
}

let git: GitFolder;
let data: string;
let log: TestLog;

describeOnLogs((name, freshLog) => {
  beforeAll(async () => {
    git = await GitFolder.make();
    await git.commit(await git.init('tea'));
    data = join(git.path, 'data');
    await mkdir(data);
    log = freshLog();
    await fill();
  });
  afterAll(() => git[Symbol.asyncDispose]());

  describe('a slow reader', () => reading(name));
});

const serve = () =>
  new SamovarCommand(['serve', 'tea', '--data', data, '--port', '0'], {
    cwd: git.path,
    env: { ...git.env, ...log.env },
  });

/** Asks for more than the system's buffers hold, and reads the beginning. */
async function stopReading(url: string): Promise<Socket> {
  const socket = openSocket(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.write('GET /v1/streams/heavy/events HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await new Promise((resolve) => socket.once('readable', resolve));
  return socket;
}

function reading(name: LogName): void {
  it.runIf(process.platform === 'linux')('a reader that stops reading holds no memory, and blocks nobody', async () => {
    await using samovar = serve();
    const url = await samovar.url();
    await samovar.says(/observing/);
    const before = await memoryOf(samovar.pid);
    const sockets: Socket[] = [];
    for (let n = 0; n < readers; n++) {
      sockets.push(await stopReading(url));
    }
    // It has settled when nothing grew for half a second.
    const seen = [0, before];
    await vi.waitUntil(
      async () => {
        seen.push(await memoryOf(samovar.pid));
        return Math.abs((seen.at(-1) ?? 0) - (seen.at(-2) ?? 0)) < mebibyte;
      },
      { interval: 500, timeout: 20_000 },
    );
    expect((seen.at(-1) ?? 0) - before).toBeLessThan(readers * most[name]);
    const lines = (await (await fetch(`${url}/v1/streams/heavy/events`)).text()).split('\n');
    expect(lines).toHaveLength(481);
    for (const socket of sockets) socket.destroy();
    expect(await samovar.stop()).toMatchObject({ code: 0 });
  });

  it('a shutdown waits for a slow reader, until it is told again; but one Ctrl-C may come twice', async () => {
    await using samovar = serve();
    await stopReading(await samovar.url());
    await samovar.says(/observing/);
    const before = performance.now();
    const ended = vi.fn();
    void samovar.exited.then(ended);
    await vi.waitFor(
      () => {
        void samovar.stop('SIGINT');
        expect(ended).toHaveBeenCalled();
      },
      { interval: 100, timeout: 8_000 },
    );
    expect(performance.now() - before).toBeGreaterThan(500);
    expect(await samovar.exited).toMatchObject({ code: 0 });
  });
}
