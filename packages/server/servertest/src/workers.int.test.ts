import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListActivitiesQuery } from '@samovar/activity';
import { AddRepoCommand } from '@samovar/registry';
import { GetRepoQuery, type Repo, Uuid } from '@samovar/repos';
import { GitFolder } from '@samovar/repostest/git';
import type { Work } from '@samovar/workflows';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client, eventually } from './client.ts';
import { SamovarCommand } from './command.ts';
import { describeOnLogs, type TestLog } from './logs.ts';

// REPEATS=19 kills 20 times, one after the other, at another moment each time.
const rounds = Number(process.env.REPEATS ?? 1) + 1;
// A worker that is killed is known to be dead once its leases are over.
const lasting = { SAMOVAR_LEASE_MS: '3000' };
const takenOver = { timeout: 40_000, interval: 100 };
const ping: Work = { type: 'PingRegistry', timeoutMs: 60_000 };
const newId = () => Uuid.parse(crypto.randomUUID());

let git: GitFolder;
let log: TestLog;
let repo: Repo;

describeOnLogs((name, freshLog) => {
  beforeEach(async () => {
    git = await GitFolder.make();
    log = freshLog();
    await git.fill(await git.init('tea'), 20);
  });
  afterEach(() => git[Symbol.asyncDispose]());

  describe('workers beside a server that runs no activities', { timeout: 90_000 }, () => {
    working();
    if (name === 'SQLite') guarded();
  });
  describe('workers beside a server that runs activities, too', { timeout: 90_000 }, sharing);
});

/** A server that runs no activities. */
function serve(...more: string[]): ReturnType<typeof serveAll> {
  return serveAll('--no-activities', ...more);
}

/** A server, and where it speaks gRPC. */
async function serveAll(...more: string[]): Promise<{ client: Client; grpc: string }> {
  const args = ['serve', 'tea', '--data', 'data', '--port', '0', '--grpc-port', '0', ...more];
  const samovar = start(args);
  const client = new Client(samovar);
  const [, grpc = ''] = await samovar.says(/and speaks gRPC at (\S+)/);
  await samovar.says(/observing/);
  repo = await client.call(AddRepoCommand, { path: join(git.path, 'tea') });
  return { client, grpc };
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): SamovarCommand {
  return new SamovarCommand(args, { cwd: git.path, env: { ...git.env, ...log.env, ...lasting, ...env } });
}

function work(grpc: string, ...more: string[]): SamovarCommand {
  return start(['worker', '--server', grpc, ...more]);
}

function working(): void {
  it('do all the work, and hand over when they are killed and when they are stopped', async () => {
    const { client, grpc } = await serve();
    await using _server = client;
    await using ann = work(grpc);
    await ann.says(/^runs [1-9]\d* activit/m);
    await using bob = work(grpc);
    await bob.says(/works for/);

    const first = newId();
    await client.begin(first, ping);
    expect((await client.finished(first)).outcome).toMatchObject({ kind: 'succeeded', details: { missing: [] } });
    await git.commit(join(git.path, 'tea'));
    const { repoId } = repo;
    await vi.waitFor(async () => expect((await client.call(GetRepoQuery, { repoId })).commits).toBe(21), eventually);
    expect(await client.activities()).toEqual([]);

    await ann.stop('SIGKILL');
    const second = newId();
    await client.begin(second, ping);
    const pinged = await client.finished(second, takenOver);
    expect(pinged.outcome).toMatchObject({ kind: 'succeeded', details: { missing: [] } });

    await using cat = work(grpc);
    await cat.says(/works for/);
    expect(await bob.stop()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/stopping…\n(runs 0 activities\n)?$/),
    });
    const third = newId();
    await client.begin(third, { type: 'ArchiveRepo', repoId });
    expect((await client.finished(third)).outcome).toMatchObject({ kind: 'succeeded' });
    expect((await client.call(GetRepoQuery, { repoId })).archive).not.toBeNull();
  });

  it('run the kinds they are told to, and wait for a server that comes back', async () => {
    const { client, grpc } = await serve();
    await using repos = work(grpc, '--kinds', 'repo');
    await using others = work(grpc, '--kinds', 'registry,registryWorkflow,registryWorkflowIndex');
    await Promise.all([repos.says(/^runs [1-9]/m), others.says(/^runs [1-9]/m)]);
    await client.samovar.stop('SIGKILL');
    const port = new URL(grpc).port;
    const again = await serve('--grpc-port', port);
    await using _server = again.client;
    const id = newId();
    await again.client.begin(id, ping);
    const { outcome } = await again.client.finished(id, takenOver);
    expect(outcome).toMatchObject({ kind: 'succeeded', details: { missing: [] } });
  });

  surviving(serve);
}

function surviving(serve: typeof serveAll): void {
  it(
    'end each workflow in the same state, whichever of server and worker is killed amid it',
    async () => {
      let { client, grpc } = await serve();
      let worker = work(grpc);
      try {
        await worker.says(/^runs [1-9]/m);
        for (let round = 0; round < rounds; round++) {
          const path = await git.init(`pot${round}`);
          await git.fill(path, 50);
          const { repoId } = await client.call(AddRepoCommand, { path });
          const workflowId = newId();
          await client.begin(workflowId, { type: 'ArchiveRepo', repoId });
          const pinged = newId();
          await client.begin(pinged, ping);
          // A ping takes less long than an archive.
          await sleep(Math.random() ** 2 * 400);
          if (round % 2 === 0) {
            await worker.stop('SIGKILL');
            worker = work(grpc);
          } else {
            await client.samovar.stop('SIGKILL');
            ({ client, grpc } = await serve('--grpc-port', new URL(grpc).port));
          }
          expect((await client.finished(pinged, takenOver)).outcome).toMatchObject({
            kind: 'succeeded',
            // Whether the other one answers depends on what was first: an archived one is not asked.
            details: {
              answers: expect.arrayContaining([expect.objectContaining({ repoId: repo.repoId })]),
              missing: [],
            },
          });
          const { outcome } = await client.finished(workflowId, takenOver);
          expect(outcome).toMatchObject({ kind: 'succeeded' });
          const { archive } = await client.call(GetRepoQuery, { repoId });
          expect(outcome?.kind === 'succeeded' && outcome.details).toMatchObject({ ...archive });
          const made = readdirSync(join(git.path, 'data/archive/main')).filter((name) => name.includes(repoId));
          expect(made.toSorted()).toEqual([basename(archive?.path ?? ''), basename(`${archive?.path}.sha256`)]);
          await git.run(git.path, ['clone', '-q', archive?.path ?? '', `restored${round}`]);
          const heads = [path, join(git.path, `restored${round}`)].map((at) => git.run(at, ['rev-parse', 'HEAD']));
          expect(await heads[1]).toBe(await heads[0]);
        }
      } finally {
        await worker[Symbol.asyncDispose]();
        await client[Symbol.asyncDispose]();
      }
    },
    60_000 * rounds,
  );
}

function sharing(): void {
  it('take their share, and give it back when they are stopped and when they are killed', async () => {
    for (let i = 0; i < 9; i++) await git.fill(await git.init(`tea/cup${i}`), 1);
    const { client, grpc } = await serveAll();
    await using _server = client;
    const repos = { limit: 1_000, kind: 'repo' } as const;
    /** How many activities of repositories the server has, and how many of them it runs. */
    const own = async () => {
      const { activities } = await client.call(ListActivitiesQuery, repos);
      return { all: activities.length, run: activities.filter(({ state }) => state !== 'waiting').length };
    };
    const all = 20;
    await vi.waitFor(async () => expect(await own()).toEqual({ all, run: all }), takenOver);

    await using ann = work(grpc);
    await ann.says(/^runs [1-9]/m);
    await vi.waitFor(async () => expect((await own()).run).toBeLessThan(all - 2), takenOver);
    const id = newId();
    await client.begin(id, ping);
    expect((await client.finished(id)).outcome).toMatchObject({ kind: 'succeeded', details: { missing: [] } });
    await ann.stop();
    await vi.waitFor(async () => expect(await own()).toEqual({ all, run: all }), takenOver);

    await using bob = work(grpc);
    await bob.says(/^runs [1-9]/m);
    await bob.stop('SIGKILL');
    await vi.waitFor(async () => expect(await own()).toEqual({ all, run: all }), takenOver);
  });

  surviving(serveAll);
}

/** What has nothing to do with the log. */
function guarded(): void {
  it('need the token, and TLS, where the server asks for them', async () => {
    const [cert, key] = [join(git.path, 'cert.pem'), join(git.path, 'key.pem')];
    const about = ['-subj', '/CN=samovar', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1'];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...about, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
    expect(readFileSync(cert, 'utf8')).toContain('BEGIN CERTIFICATE');
    const secret = { SAMOVAR_GRPC_TOKEN: 'a-secret-of-the-kitchen' };
    const beyond = start([
      'serve',
      'tea',
      '--data',
      'other',
      '--port',
      '0',
      '--grpc-port',
      '0',
      '--grpc-host',
      '0.0.0.0',
    ]);
    expect(await beyond.exited).toMatchObject({ code: 2, stderr: expect.stringContaining('--grpc-cert') });

    const tls = ['--grpc-cert', cert, '--grpc-key', key];
    await using server = start(
      ['serve', 'tea', '--data', 'data', '--port', '0', '--grpc-port', '0', '--no-activities', ...tls],
      secret,
    );
    const [, grpc = ''] = await server.says(/and speaks gRPC at (grpcs:\S+)/);
    const refused = await work(grpc, '--ca', cert).exited;
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/token/i) });
    expect(refused.stderr).not.toContain(secret.SAMOVAR_GRPC_TOKEN);
    await using ann = start(['worker', '--server', grpc, '--ca', cert], secret);
    await ann.says(/works for/);
  });
}
