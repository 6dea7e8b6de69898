import { join } from 'node:path';
import { type Client, type ClientReadableStream, credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { connect } from '@samovar/edaimpl';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServer, type TestServer } from '../../testing.ts';

type Done = (error: Error | null, value: unknown) => void;
type Stub = Client & Record<string, (request: object, done?: Done) => ClientReadableStream<object>>;
type Stubs = Record<string, new (...args: readonly unknown[]) => Stub>;

const includeDirs = [join(import.meta.dirname, '../../../../api/api/proto')];
const files = ['broadcast', 'leases', 'messages', 'registry', 'repos'];
const names = files.map((name) => `samovar/entities/v1/${name}.proto`);
const repoId = '0190f3a4-5b6c-7d8e-9f00-112233445566';
const worker = '0190f3a4-5b6c-7d8e-9f00-665544332211';
const activity = { entity: { kind: 4, repoId }, name: 'tea' };

let server: TestServer;
let stubs: Stubs;
beforeAll(async () => {
  server = await startServer(await connect('memory:', { logger: null }), { mostWorkers: 2 });
  const root = loadPackageDefinition(loadSync(names, { includeDirs }));
  stubs = (root as unknown as { samovar: { entities: { v1: Stubs } } }).samovar.entities.v1;
});
afterAll(() => server[Symbol.asyncDispose]());

/** What a program without any of this project's code gets for an answer; the code of its failure. */
async function ask(service: string, method: string, request: object, isStream: boolean): Promise<unknown> {
  const stub = new (stubs[service] as Stubs[string])(new URL(server.url).host, credentials.createInsecure());
  try {
    if (!isStream) {
      return await new Promise((resolve, reject) => {
        stub[method]?.(request, (error, value) => (error === null ? resolve(value) : reject(error)));
      });
    }
    const answers: unknown[] = [];
    for await (const answer of stub[method]?.(request) ?? []) answers.push(answer);
    return answers;
  } catch (error) {
    return (error as { readonly code: number }).code;
  } finally {
    stub.close();
  }
}

it('serves clients that have nothing but the proto files', async () => {
  expect(await ask('Repos', 'events', { repoId }, true)).toEqual([{ willBlock: true }]);
  expect(await ask('LiveBroadcast', 'head', { entity: activity.entity }, false)).toEqual({});
  expect(await ask('LiveBroadcast', 'heads', {}, true)).toEqual([]);
  expect(await ask('Leases', 'heartbeat', { worker }, false)).toMatchObject({ leaseMs: server.workers.leaseMs });
  expect(await ask('Leases', 'claim', { worker, activity }, false)).toMatchObject({ lease: {} });
  expect(await ask('Leases', 'leave', { worker }, false)).toEqual({});
});

it('tells them of the workers, not by the names that these chose', async () => {
  const other = 'b'.repeat(20);
  await ask('Leases', 'heartbeat', { worker }, false);
  await ask('Leases', 'claim', { worker: other, activity }, false);
  server.workers.beat();
  const answer = (await ask('Leases', 'heartbeat', { worker }, false)) as { readonly self: string };
  const peers = [{ worker: answer.self }, { worker: expect.any(String), runs: ['repo/tea'] }];
  expect(answer).toEqual({ leaseMs: server.workers.leaseMs, self: expect.stringMatching(/./), peers });
  for (const name of [worker, other]) {
    expect(JSON.stringify(answer)).not.toContain(name);
    await ask('Leases', 'leave', { worker: name }, false);
  }
});

it.each<[string, string, string, object, boolean]>([
  ['no registry', 'Registry', 'events', {}, true],
  ['a pattern', 'Registry', 'events', { registry: '>' }, true],
  ['another stream', 'EphemeralRegistry', 'registryWorkflowIndexEvents', { registry: 'main.x' }, true],
  ['no workflow', 'EphemeralRegistry', 'registryWorkflowEvents', { registry: 'main' }, true],
  ['no UUID', 'Repos', 'events', { repoId: '../../etc/passwd' }, true],
  ['a long id', 'Repos', 'events', { repoId: 'x'.repeat(100_000) }, true],
  ['half an id', 'Repos', 'workflowEvents', { repoId }, true],
  ['an id of no event', 'Repos', 'events', { repoId, after: 'tea' }, true],
  ['an unknown kind', 'LiveBroadcast', 'aggregateSignals', { kinds: [4, 99] }, true],
  ['no kind', 'LiveBroadcast', 'heads', { kinds: [0] }, true],
  ['no entity', 'LiveBroadcast', 'head', {}, false],
  ['no worker', 'Leases', 'heartbeat', {}, false],
  ['a worker that anybody guesses', 'Leases', 'claim', { worker: 'me', activity }, false],
  ['no activity', 'Leases', 'claim', { worker }, false],
  ['an activity of an odd name', 'Leases', 'claim', { worker, activity: { ...activity, name: 'a/b' } }, false],
  ['a tail that is none', 'Leases', 'storeTail', { worker, activity, epoch: 1, tail: 'tea' }, false],
])('refuses %s', async (_, service, method, request, isStream) => {
  expect(await ask(service, method, request, isStream)).toBe(
    method === 'storeTail' ? status.ABORTED : status.INVALID_ARGUMENT,
  );
  expect(server.logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

it('knows nothing of leases that it has not given', async () => {
  const request = { worker, activity, epoch: '18446744073709551615' };
  for (const method of ['storeTail', 'complete']) {
    expect(await ask('Leases', method, request, false)).toBe(status.ABORTED);
  }
  expect(await ask('Leases', 'release', request, false)).toEqual({});
  expect(await ask('Leases', 'leave', request, false)).toEqual({});
});

it('takes no more workers than it may', async () => {
  const workers = ['a', 'b', 'c'].map((letter) => letter.repeat(20));
  const answers = [];
  for (const name of workers) answers.push(await ask('Leases', 'heartbeat', { worker: name }, false));
  expect(answers.at(-1)).toBe(status.RESOURCE_EXHAUSTED);
  server.clock.advance(server.workers.leaseMs);
  expect(await ask('Leases', 'heartbeat', { worker: workers[2] }, false)).toMatchObject({ self: expect.any(String) });
});
