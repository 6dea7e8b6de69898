import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GitFolder } from '@samovar/repostest/git';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Exit, SamovarCommand } from './command.ts';
import { describeOnLogs } from './logs.ts';

let git: GitFolder;
let data: string;
let tests = 0;
beforeAll(async () => {
  git = await GitFolder.make();
  await git.commit(await git.init('tea'));
});
afterAll(() => git[Symbol.asyncDispose]());
beforeEach(() => {
  data = join(git.path, `data${++tests}`);
});

async function migrate(...args: string[]): Promise<Exit> {
  await using samovar = new SamovarCommand(['migrate', '--data', data, ...args], { cwd: git.path, env: git.env });
  return await samovar.exited;
}

it('does what there is to do, once, and starts nothing', async () => {
  const foretold = await migrate('--dry-run');
  expect(foretold).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^(would apply outbox\/\S+\n)/),
  });
  const stdout = foretold.stdout.replaceAll('would apply', 'applied');
  expect(await migrate()).toEqual({ code: 0, stderr: '', stdout });
  expect([existsSync(join(data, 'samovar.db')), existsSync(join(data, 'events.db'))]).toEqual([true, false]);
  expect(await migrate()).toEqual({ code: 0, stdout: 'nothing to do\n', stderr: '' });
  expect(await migrate('--dry-run')).toEqual({ code: 0, stdout: 'nothing to do\n', stderr: '' });
});

describeOnLogs((_name, freshLog) => {
  it('is what a server needs that is told not to migrate by itself', async () => {
    const args = ['serve', 'tea', '--data', data, '--port', '0', '--no-migrate-at-start'];
    const env = { ...git.env, ...freshLog().env };
    await using early = new SamovarCommand(args, { cwd: git.path, env });
    const { code, stderr } = await early.exited;
    expect(code).toBe(2);
    expect(stderr).toMatch(/^samovar: the database has still to be migrated \(outbox\/.*\): run samovar migrate\n$/);
    await migrate();
    await using samovar = new SamovarCommand(args, { cwd: git.path, env });
    expect((await fetch(`${await samovar.url()}/readyz`)).status).toBe(200);
    expect(await samovar.stop()).toMatchObject({ code: 0 });
  });
});
