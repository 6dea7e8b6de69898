import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GitFolder } from '@samovar/repostest/git';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Exit, SamovarCommand } from './command.ts';
import { startServer, type TestServer } from './servertest.ts';

let git: GitFolder;
let folder: string;
let server: TestServer;

beforeAll(async () => {
  git = await GitFolder.make();
  folder = mkdtempSync(join(tmpdir(), 'samovar-verbs-'));
  server = await startServer({ archive: join(folder, 'archive') });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
  await git[Symbol.asyncDispose]();
});

async function samovar(...args: string[]): Promise<Exit> {
  await using command = new SamovarCommand(args, { cwd: folder, env: { ...process.env, SAMOVAR_SERVER: server.url } });
  return await command.exited;
}

/** The path of a repository with a commit. */
async function repository(name: string): Promise<string> {
  const path = await git.init(name);
  await git.commit(path);
  return path;
}

describe('the verbs for a running server', () => {
  it('make registries, and add, list and remove repositories', async () => {
    const pot = await repository('pot');
    expect(await samovar('registry', 'ls', 'kitchen')).toMatchObject({
      code: 2,
      stderr: 'samovar: no registry kitchen: make it with samovar registry init kitchen\n',
    });
    expect(await samovar('registry', 'init', 'kitchen')).toMatchObject({
      code: 0,
      stdout: 'registry kitchen: 0 repositories\n',
    });
    const added = await samovar('registry', 'add', pot, '--registry', 'kitchen', '--name', 'teapot');
    expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/^teapot: in registry kitchen as \S{36}, /) });
    const listed = await samovar('registry', 'ls', 'kitchen', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject({
      registries: [{ registry: 'kitchen', repos: [{ name: 'teapot' }] }],
    });
    expect(await samovar('registry', 'rm', 'teapot', '--registry', 'kitchen')).toMatchObject({ code: 0 });
    expect((await samovar('registry', 'ls', 'kitchen')).stdout).toBe('kitchen: 0 repositories\n');
    expect(await samovar('registry', 'rm', 'teapot', '--registry', 'kitchen')).toMatchObject({
      code: 2,
      stderr: 'samovar: teapot: there is none of that name, path or id\n',
    });
  });

  it('ping a registry, and archive a repository so that it can be cloned', async () => {
    const cup = await repository('cup');
    await samovar('registry', 'init', 'shelf');
    await samovar('registry', 'add', cup, '--registry', 'shelf');
    const pinged = await samovar('workflow', 'start', 'ping', '--registry', 'shelf', '--wait', '--json');
    expect(pinged.code).toBe(0);
    expect(JSON.parse(pinged.stdout)).toMatchObject({
      state: 'finished',
      outcome: { kind: 'succeeded', details: { answers: [{ commits: 1 }], missing: [] } },
    });
    const archived = await samovar('workflow', 'start', 'archive', 'cup', '--registry', 'shelf', '--wait');
    expect(archived).toMatchObject({ code: 0, stdout: expect.stringMatching(/ArchiveRepo of \S+: succeeded, /) });
    const bundle = /path: (.*)$/m.exec(archived.stdout)?.[1] as string;
    await git.run(folder, ['clone', '-q', bundle, 'restored']);
    const heads = [cup, join(folder, 'restored')].map((path) => git.run(path, ['rev-parse', 'HEAD']));
    expect(await heads[1]).toBe(await heads[0]);
    expect(await samovar('workflow', 'start', 'archive', 'cup', '--registry', 'shelf')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is archived in'),
    });
    const all = await samovar('workflow', 'status', '--registry', 'shelf');
    expect(all.stdout.trim().split('\n')).toHaveLength(2);
    const [id = ''] = all.stdout.split(' ');
    expect(await samovar('workflow', 'rm', id, '--registry', 'shelf')).toMatchObject({ code: 0 });
    expect(await samovar('workflow', 'status', id, '--registry', 'shelf')).toMatchObject({ code: 2 });
  });

  it('tell what the activities are doing', async () => {
    const { code, stdout } = await samovar('activities', '--json');
    expect(code).toBe(0);
    const { activities, total } = JSON.parse(stdout);
    expect(activities).toHaveLength(total);
    expect(activities).toContainEqual(
      expect.objectContaining({ kind: 'registry', stream: 'registry.shelf', engine: 'cron' }),
    );
    expect((await samovar('activities', '--kind', 'registry', '--limit', '1')).stdout).toMatch(/^registry\.\w+ /);
  });

  it.each([
    [['workflow', 'status', '--server', 'http://127.0.0.1:1'], 1, 'no samovar answers at http://127.0.0.1:1'],
    [['workflow', 'status', 'x'], 2, 'workflowId'],
    [['workflow', 'start', 'ping', '--timeout', 'soon'], 2, 'A whole number from 0 up is needed.'],
    [['activities', '--kind', 'teapot'], 2, 'Allowed choices are registry'],
    [['worker', '--kinds', 'repo,teapot'], 2, '--kinds: teapot is no kind'],
    [['worker', '--server', 'http://localhost'], 2, 'grpc://'],
  ])('say what is wrong with %j', async (args, code, text) => {
    expect(await samovar(...args)).toMatchObject({ code, stderr: expect.stringContaining(text) });
  });
});
