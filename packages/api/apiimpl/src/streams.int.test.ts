import { connect } from 'node:net';
import { FakeBus } from '@samovar/bustest';
import { ForeignEventIdError, InvalidSelectorError, LogUnavailableError } from '@samovar/eda';
import { expect, it, onTestFinished, vi } from 'vitest';
import { connReading, eventNumber, type Read, startApi, untilDone } from '../testing.ts';

const start = (read: Read) => startApi({ bus: new FakeBus(), conn: connReading(read) });
const path = '/v1/streams/test.1/events';

async function* count(to: number) {
  for (let n = 1; n <= to; n++) yield eventNumber(n);
}

/** Yields what `push` is given, until the context is done. */
function live() {
  const queue: number[] = [];
  let wake = () => {};
  const ended = vi.fn();
  const read: Read = async function* (ctx) {
    try {
      for (;;) {
        for (const n of queue.splice(0)) yield eventNumber(n);
        await Promise.race([new Promise<void>((resolve) => (wake = resolve)), untilDone(ctx)]);
      }
    } finally {
      ended();
    }
  };
  const push = (n: number) => {
    queue.push(n);
    wake();
  };
  return { read, push, ended };
}

it('answers with the events in their JSON form, one in a line', async () => {
  const { url } = await start(() => count(3));
  const response = await fetch(`${url}${path}`);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  const lines = (await response.text()).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).data)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ stream: 'test.1', id: eventNumber(1).id, dataType: 'json' });
});

it('answers with nothing where there is nothing', async () => {
  const { url } = await start(() => count(0));
  const response = await fetch(`${url}${path}`);
  expect([response.status, await response.text()]).toEqual([200, '']);
});

it('hands the parameters to the log, the selector decoded', async () => {
  const read = vi.fn<Read>(() => count(0));
  const { url } = await start(read);
  const { id } = eventNumber(7);
  await fetch(`${url}/v1/streams/repos.%3E/events?after=${id.toLowerCase()}&limit=5&backwards=true`);
  await fetch(`${url}/v1/streams/repos.>/events`);
  expect(read.mock.calls.map(([, selector, options]) => [selector, options])).toEqual([
    ['repos.>', { after: id, limit: 5, backwards: true, watch: false }],
    ['repos.>', { watch: false }],
  ]);
});

it.each([
  ['after=nonsense', 'eda.invalidEventId', {}],
  ['limit=many', 'message.invalid', { faults: [expect.objectContaining({ path: ['limit'] })] }],
  ['limit=-1', 'message.invalid', { faults: [expect.objectContaining({ path: ['limit'] })] }],
  ['limit=1.5', 'message.invalid', { faults: [expect.objectContaining({ path: ['limit'] })] }],
  ['watch=perhaps', 'message.invalid', { faults: [expect.objectContaining({ path: ['watch'] })] }],
  ['from=1', 'message.invalid', { faults: [expect.objectContaining({ message: expect.stringContaining('from') })] }],
])('refuses parameters that do not fit (%s)', async (parameters, id, details) => {
  const { call } = await start(() => count(0));
  const answer = await call(`${path}?${parameters}`);
  expect(answer).toMatchObject({ status: 400, type: 'application/problem+json', body: { id, details } });
});

it('answers with a problem for what the log refuses at once, or before the first event', async () => {
  const refused = await start((_, selector) => {
    throw new InvalidSelectorError(selector, 'it is bad');
  });
  for (const query of ['', '?watch=true']) {
    expect(await refused.call(`/v1/streams/a..b/events${query}`)).toMatchObject({
      status: 400,
      body: { id: 'eda.invalidSelector' },
    });
  }
  const failing = await start(async function* () {
    yield* count(0);
    throw new LogUnavailableError('the disk is gone');
  });
  expect(await failing.call(path)).toMatchObject({ status: 503, body: { id: 'eda.logUnavailable' } });
  const foreign = await start(() => {
    throw new ForeignEventIdError('x');
  });
  expect(await foreign.call(path)).toMatchObject({ status: 400, body: { id: 'eda.foreignId' } });
});

it('cuts the connection and logs when the log fails later on', async () => {
  const big = 'x'.repeat(100_000);
  const { url, logger } = await start(async function* () {
    yield eventNumber(1, big);
    throw new LogUnavailableError('the disk is gone');
  });
  const response = await fetch(`${url}${path}`);
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
  await vi.waitUntil(() => logger.lines.some(({ level }) => level === 'error'));
  expect(logger.lines).toContainEqual(
    expect.objectContaining({ level: 'error', message: expect.stringContaining('the disk is gone') }),
  );
});

it('sends its head at once when watching, then each event as it comes', async () => {
  const { read, push } = live();
  const { url } = await start(read);
  const response = await fetch(`${url}${path}?watch=true`);
  expect(response.status).toBe(200);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (const n of [1, 2]) {
    push(n);
    expect(JSON.parse((await reader?.read())?.value ?? '').data).toEqual({ n });
  }
  await reader?.cancel();
});

it('ends the read when the client leaves', async () => {
  const { read, push, ended } = live();
  const { url, logger } = await start(read);
  const leaving = new AbortController();
  await fetch(`${url}${path}?watch=true`, { signal: leaving.signal });
  push(1);
  expect(ended).not.toHaveBeenCalled();
  leaving.abort();
  await vi.waitFor(() => expect(ended).toHaveBeenCalled());
  expect(logger.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
});

it('reads no further than a client does that stops reading', async () => {
  let pulled = 0;
  const payload = 'x'.repeat(10_000);
  const ended = vi.fn();
  const { port } = await start(async function* () {
    try {
      for (; pulled < 100_000; pulled++) yield eventNumber(pulled, payload);
    } finally {
      ended();
    }
  });
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  await new Promise((resolve) => socket.once('readable', resolve));
  // What fits into the kernel's buffers is a few megabytes; then nothing moves any more.
  const seen = [-2, -1];
  await vi.waitUntil(() => seen.at(-1) === seen.at(-2) || !seen.push(pulled), { interval: 300, timeout: 20_000 });
  expect(pulled).toBeLessThan(2_000);
  socket.destroy();
  await vi.waitFor(() => expect(ended).toHaveBeenCalled());
});

it('watches end after a whole line at shutdown; other reads go on, until work ends', async () => {
  const { read, push } = live();
  const { url, intake, work, running } = await start(async function* (ctx, selector, options) {
    if (options.watch) yield* read(ctx, selector, options);
    else {
      yield eventNumber(1, 'x'.repeat(100_000));
      await untilDone(ctx);
    }
  });
  const watching = await fetch(`${url}${path}?watch=true`);
  const reading = await fetch(`${url}${path}`);
  push(1);
  const seen = watching.text();
  const cut = expect(reading.text()).rejects.toThrow();
  intake.cancel();
  expect(JSON.parse(await seen).data).toEqual({ n: 1 });
  const settled = vi.fn();
  void running.then(settled);
  await refusing(url);
  expect(settled).not.toHaveBeenCalled();
  work.cancel();
  await cut;
  await running;
});

async function refusing(url: string): Promise<void> {
  await vi.waitFor(() => expect(fetch(`${url}/healthz`)).rejects.toThrow());
}
