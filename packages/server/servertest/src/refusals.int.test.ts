import { copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { background } from '@samovar/context';
import { GitFolder } from '@samovar/repostest/git';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Exit, SamovarCommand } from './command.ts';
import { describeOnNats } from './logs.ts';

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

/** Runs the command until it ends by itself. */
async function refusal(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Exit> {
  await using samovar = new SamovarCommand(args, { cwd: git.path, env: { ...git.env, ...env } });
  return await samovar.exited;
}

const serve = (...args: string[]) => ['serve', 'tea', '--data', data, '--port', '0', ...args];

describe('the data directory', () => {
  it.each([
    ['under a file', () => join(git.path, '.gitconfig/data')],
    ['where nothing can be made', () => '/proc/samovar'],
  ])('%s is refused', async (_, path) => {
    const { code, stderr } = await refusal([...serve(), '--data', path()]);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^samovar: cannot keep data in ${path()}: .*--data\\n$`));
  });

  it('of another samovar is refused, naming that', async () => {
    await using first = new SamovarCommand(serve(), { cwd: git.path, env: git.env });
    await first.url();
    const { code, stderr } = await refusal(serve());
    expect(code).toBe(1);
    expect(stderr).toContain(`${data} is in use by another samovar (process ${first.pid})`);
    expect(await refusal(['migrate', '--data', data])).toMatchObject({ code: 1, stdout: '', stderr });
    expect(await first.stop()).toMatchObject({ code: 0 });
  });

  it.each([
    ['of something else', async (path: string) => writeFile(path, 'Dear diary, '.repeat(1_000))],
    [
      'of another program',
      async (path: string) => {
        using database = new DatabaseSync(path);
        database.exec('CREATE TABLE recipes (name TEXT)');
      },
    ],
    [
      'that is truncated',
      async (path: string) => {
        await using samovar = new SamovarCommand(serve(), { cwd: git.path, env: git.env });
        await samovar.says(/observing/);
        await samovar.stop();
        await truncate(path, 20_000);
      },
    ],
  ])('with a database %s is refused, and left as it is', async (_, make) => {
    await mkdir(data);
    const path = join(data, 'events.db');
    await make(path);
    await copyFile(path, `${data}.copy`);
    const { code, stderr, stdout } = await refusal(serve());
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^samovar: .*${path}.*\n$`));
    expect(await readFile(path)).toEqual(await readFile(`${data}.copy`));
  });
});

describe('an event log on NATS', () => {
  it.each([
    ['where no server is', 1, {}, 'nats://ann:hush@127.0.0.1:1', /on NATS at 127\.0\.0\.1:1 cannot be opened: /],
    ['with an address that is none', 2, {}, 'nats://ann:hush@', /url names a server wrongly/],
    [
      'under a name that is none',
      2,
      { SAMOVAR_EVENTS_CLUSTER: 'my tea' },
      'nats://ann:hush@127.0.0.1:1',
      /cluster is not/,
    ],
  ])('%s is refused, without showing the password', async (_, exit, env, events, message) => {
    const { code, stderr, stdout } = await refusal(serve(), { SAMOVAR_EVENTS: events, ...env });
    expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('hush');
  });
});

describeOnNats((freshLog) => {
  it('an event log that is something else is refused, and left as it is', async () => {
    const { connect, env } = freshLog();
    await using conn = await connect(data);
    const id = await conn.publish(background, 'tea', { type: 'tea.Poured' });
    // NATS keeps what is known of a log's subscriptions in a stream of this name.
    const taken = `KV_${env.SAMOVAR_EVENTS_CLUSTER}-subscriptions`;
    const { code, stderr, stdout } = await refusal(serve(), { ...env, SAMOVAR_EVENTS_CLUSTER: taken });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^samovar: the JetStream stream ${taken} is not an event log's\n$`));
    expect(await conn.head(background, 'tea')).toBe(id);
  });

  it('an event log is not made with more replicas than there are servers', async () => {
    const { code, stderr } = await refusal(serve(), { ...freshLog().env, SAMOVAR_EVENTS_REPLICAS: '3' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/replicas > 1 not supported/);
  });
});

describe('the folders', () => {
  it('that are none are refused', async () => {
    const { code, stderr } = await refusal(['serve', 'tea', 'nowhere', '--data', data, '--port', '0']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^samovar: .*\/nowhere is not a folder that can be read\n$/);
  });

  it('without a repository are refused', async () => {
    await mkdir(join(git.path, 'empty'), { recursive: true });
    const { code, stderr } = await refusal(['serve', 'empty', '--data', data, '--port', '0']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^samovar: no git repository in .*\/empty or below it: .*git init/);
  });

  it('cannot be read without git', async () => {
    const { code, stderr } = await refusal(serve(), { PATH: join(git.path, 'empty') });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^samovar: git is not on PATH: install git/);
  });
});

it('a port in use is refused, naming it and --port', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  const { code, stderr, stdout } = await refusal(['serve', 'tea', '--data', data, '--port', String(port)]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(new RegExp(`^samovar: cannot listen on port ${port} of 127.0.0.1: it is in use.*--port`));
});

describe('the configuration', () => {
  it.each([
    [['serve', '--prot', '1'], {}, /unknown option '--prot'\n\(Did you mean --port\?\)/],
    [['brew'], {}, /unknown command 'brew'/],
    [['serve', '--port', 'many'], {}, /^samovar: port \(from --port\) is "many": /],
    [
      ['serve', '--database', 'mysql://ann:hush@db/tea'],
      {},
      /^samovar: database \(from --database\) is not what(?!.*hush)/,
    ],
    [['migrate'], { SAMOVAR_DATABASE: 'tea' }, /^samovar: database \(from SAMOVAR_DATABASE\) .*: a database's URL is /],
    [['migrate', 'tea'], {}, /too many arguments for 'migrate'/],
    [['serve', '--log-level', 'loud'], {}, /^samovar: logLevel \(from --log-level\) is "loud": /],
    [['serve'], { SAMOVAR_PROT: '1' }, /^samovar: SAMOVAR_PROT is no setting: did you mean SAMOVAR_PORT\?/],
    [['serve'], { SAMOVAR_PORT: '99999' }, /^samovar: port \(from SAMOVAR_PORT\) is 99999: /],
    [['serve', '--config', 'missing.json'], {}, /^samovar: cannot read the configuration file: .*missing\.json/],
    [['serve', '--config', '.gitconfig'], {}, /^samovar: .*\.gitconfig is not JSON: /],
  ])('is refused where it cannot be: %j %j', async (args, env, message) => {
    const { code, stderr, stdout } = await refusal(args, env);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('is refused in the file of the working folder', async () => {
    const cwd = join(git.path, 'configured');
    await mkdir(cwd);
    await writeFile(join(cwd, 'samovar.config.json'), '{"prot": 7421}');
    await using samovar = new SamovarCommand(['serve'], { cwd, env: git.env });
    const { code, stderr } = await samovar.exited;
    expect(code).toBe(2);
    expect(stderr).toMatch(/^samovar: prot \(in .*samovar\.config\.json\) is no setting: did you mean port\?\n$/);
  });

  it('is explained by --help, and so is every command', async () => {
    const help = await refusal(['--help']);
    expect(help).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('serve [options] [folders...]'),
    });
    const { code, stdout } = await refusal(['serve', '--help']);
    expect(code).toBe(0);
    for (const option of ['data', 'database', 'host', 'port', 'allowed-host', 'registry', 'log-level', 'config']) {
      expect(stdout).toContain(`--${option} <`);
    }
    expect(stdout).toContain('--no-migrate-at-start');
    const migrate = await refusal(['migrate', '--help']);
    expect(migrate).toMatchObject({ code: 0, stderr: '' });
    for (const option of ['dry-run', 'data <', 'database <', 'log-level <', 'config <']) {
      expect(migrate.stdout).toContain(`--${option}`);
    }
    expect(await refusal(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(await refusal([])).toMatchObject({ code: 2, stderr: expect.stringContaining('Usage: samovar') });
  });
});
