import { request } from 'node:http';
import type { EventJson } from '@samovar/eda';
import type { Repo } from '@samovar/repos';
import { GitFolder } from '@samovar/repostest/git';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsOf, recordedHashes } from './events.ts';
import { describeOnLogs } from './logs.ts';
import { startServer, type TestServer } from './servertest.ts';

let git: GitFolder;
let server: TestServer;
let repo: Repo;

const json = { 'content-type': 'application/json' };

async function ask(path: string, init: RequestInit = {}) {
  const response = await fetch(`${server.url}${path}`, init);
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: text === '' ? null : JSON.parse(text),
  };
}

const post = (path: string, body: unknown) => ask(path, { method: 'POST', headers: json, body: JSON.stringify(body) });

const problem = (status: number, id: string) =>
  expect.objectContaining({ status, type: 'application/problem+json', body: expect.objectContaining({ id, status }) });

describeOnLogs((_name, freshLog) => {
  beforeAll(async () => {
    git = await GitFolder.make();
    server = await startServer({ maxBodyBytes: 5_000, ...freshLog().settings });
    const path = await git.init('tea');
    await git.fill(path, 250);
    const { body } = await post('/v1/observer/ObserveFoldersCommand', { folders: [path] });
    [repo] = body.repos;
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await git[Symbol.asyncDispose]();
  });

  describe('what was recorded', recorded);
  describe('bad input', refused);
});

function recorded(): void {
  it('is asked for by GET or POST', async () => {
    expect(repo).toMatchObject({ name: 'tea', registry: 'main', commits: 250 });
    const { repoId } = repo;
    expect(await ask(`/v1/repos/GetRepoQuery?repoId=${repoId}`)).toEqual({
      status: 200,
      type: 'application/json',
      body: repo,
    });
    expect(await post('/v1/repos/GetRepoQuery', { repoId })).toMatchObject({ status: 200, body: repo });
    expect((await ask('/v1/repos/ListReposQuery')).body).toEqual([repo]);
  });

  it('comes in pages, newest first', async () => {
    const hashes: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const before: string = next === '' ? '' : `&before=${next}`;
      const { body } = await ask(`/v1/repos/ListCommitsQuery?repoId=${repo.repoId}&limit=100${before}`);
      hashes.push(...body.commits.map(({ hash }: { hash: string }) => hash));
      next = body.next;
    }
    expect(hashes[0]).toBe(repo.head?.hash);
    expect(hashes).toHaveLength(250);
    expect(hashes.toReversed()).toEqual(await recordedHashes(server.url));
  });

  it('is a stream of events, from anywhere, in both directions', async () => {
    const read = async (query: string) => {
      const events: EventJson[] = [];
      for await (const event of eventsOf(server.url, `repos.${repo.repoId}/events${query}`)) events.push(event);
      return events;
    };
    const all = await read('');
    expect(all[0]).toMatchObject({
      type: 'repos.RepoInitialized',
      stream: `repos.${repo.repoId}`,
      data: { name: 'tea' },
    });
    expect(all.at(-1)?.type).toBe('repos.HeadMoved');
    expect(await read('?backwards=true')).toEqual(all.toReversed());
    expect(await read(`?after=${all[0]?.id}&limit=1`)).toEqual(all.slice(1, 2));
  });

  it('is described', async () => {
    const { body } = await ask('/v1/catalogue');
    const names = body.map(({ name }: { name: string }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['outbox.SkipRowCommand', 'repos.InitRepoCommand', 'repos.GetRepoQuery']),
    );
    expect(names).toEqual(names.toSorted());
    expect((await ask('/openapi.json')).body).toMatchObject({ openapi: '3.1.1' });
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
    expect(await ask('/readyz')).toMatchObject({ status: 200 });
  });
}

function refused(): void {
  it('in a body is refused', async () => {
    const path = '/v1/repos/InitRepoCommand';
    const send = (body: string, headers: Record<string, string> = json) => ask(path, { method: 'POST', headers, body });
    expect(await send('{"name": }')).toEqual(problem(400, 'api.malformedJson'));
    expect(await send('{}', { 'content-type': 'text/plain' })).toEqual(problem(415, 'api.unsupportedMediaType'));
    expect(await post(path, { name: 'x'.repeat(5_000), path: '/' })).toEqual(problem(413, 'api.bodyTooLarge'));
    expect(await post(path, { name: 7, path: '/' })).toEqual(problem(400, 'message.invalid'));
    expect(await post(path, { name: 'a', path: '/', colour: 'red' })).toEqual(problem(400, 'message.invalid'));
    expect(await post(path, { name: 'a', path: '/' })).toEqual(problem(400, 'repos.notARepository'));
  });

  it('in an address is refused', async () => {
    expect(await post('/v1/repos/InitRepoComand', {})).toEqual(problem(404, 'api.unknownMessage'));
    expect(await ask('/v1/repos/InitRepoCommand')).toEqual(problem(405, 'api.methodNotAllowed'));
    expect(await ask('/v1/repos/GetRepoQuery?repoId=7')).toEqual(problem(400, 'message.invalid'));
    const unknown = '019a0000-0000-7000-8000-000000000000';
    expect(await ask(`/v1/repos/GetRepoQuery?repoId=${unknown}`)).toEqual(problem(404, 'repos.notFound'));
    const events = `/v1/streams/repos.${repo.repoId}/events`;
    expect(await ask(`${events}?after=yesterday`)).toEqual(problem(400, 'eda.invalidEventId'));
    const foreign = '00000000000000000000000001';
    expect(await ask(`${events}?after=${foreign}`)).toEqual(problem(400, 'eda.foreignId'));
    expect(await ask(`${events}?limit=all`)).toEqual(problem(400, 'message.invalid'));
    expect(await ask(`${events}?since=1`)).toEqual(problem(400, 'message.invalid'));
    expect(await ask(`${events}?watch=true&backwards=true`)).toEqual(problem(400, 'eda.invalidArgument'));
    expect(await ask('/v1/streams/repos..x/events')).toEqual(problem(400, 'eda.invalidSelector'));
  });

  it('from a web page is refused', async () => {
    const { port } = new URL(server.url);
    const status = (headers: Record<string, string>) =>
      new Promise((resolve, reject) => {
        const sent = request({ host: '127.0.0.1', port, path: '/v1/repos/ListReposQuery', headers });
        sent.once('response', (response) => resolve(response.resume().statusCode)).once('error', reject);
        sent.end();
      });
    expect(await status({ host: 'rebound.example' })).toBe(421);
    expect(await status({ host: `127.0.0.1:${port}`, origin: 'https://evil.example' })).toBe(403);
    expect(await status({ host: `127.0.0.1:${port}` })).toBe(200);
  });
}
