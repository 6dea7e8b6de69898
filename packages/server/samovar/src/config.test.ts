import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, type Sources } from './config.ts';

let cwd: string;
beforeEach(() => (cwd = mkdtempSync(join(tmpdir(), 'samovar-'))));
afterEach(() => rmSync(cwd, { recursive: true }));

const load = (sources: Partial<Sources> = {}) => loadConfig({ flags: {}, env: {}, cwd, ...sources });

function write(name: string, content: unknown): string {
  const path = join(cwd, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function faultsOf(sources: Partial<Sources>): string[] {
  try {
    load(sources);
  } catch (error) {
    expect(error).toMatchObject({ id: 'samovar.invalidConfig', status: 'invalid_argument' });
    return (error as { details: { faults: string[] } }).details.faults;
  }
  throw new Error('it was accepted');
}

it('has a default for everything', () => {
  expect(load()).toEqual({
    folders: [cwd],
    data: join(cwd, '.samovar'),
    events: `sqlite:${join(cwd, '.samovar/events.db')}`,
    eventsCluster: 'samovar',
    database: `sqlite:${join(cwd, '.samovar/samovar.db')}`,
    migrateAtStart: true,
    host: '127.0.0.1',
    port: 7420,
    allowedHosts: [],
    maxBodyBytes: 1_048_576,
    logLevel: 'info',
    registry: 'main',
    drainMs: 10_000,
    activities: true,
    leaseMs: 10_000,
    grpcHost: '127.0.0.1',
    archive: join(cwd, '.samovar/archive'),
    cronMs: 30_000,
  });
});

it('takes flags before variables, variables before the file', () => {
  write('samovar.config.json', { port: 1, host: 'file', data: 'file', allowedHosts: ['a.example'] });
  const env = { SAMOVAR_PORT: '2', SAMOVAR_HOST: 'env', SAMOVAR_LOG_LEVEL: '', PORT: '9' };
  const { port, host, data, allowedHosts, logLevel } = load({
    env,
    flags: { port: '3', host: undefined, allowedHosts: [] },
  });
  expect({ port, host, data, allowedHosts, logLevel }).toEqual({
    port: 3,
    host: 'env',
    data: join(cwd, 'file'),
    allowedHosts: ['a.example'],
    logLevel: 'info',
  });
});

it('reads lists from variables', () => {
  const env = { SAMOVAR_ALLOWED_HOSTS: 'a.example,b.example', SAMOVAR_FOLDERS: `x${delimiter}/y` };
  expect(load({ env })).toMatchObject({ allowedHosts: ['a.example', 'b.example'], folders: [join(cwd, 'x'), '/y'] });
});

it('takes relative paths from where they are written', () => {
  const folder = mkdtempSync(join(cwd, 'etc-'));
  const file = join(folder, 'my.json');
  writeFileSync(file, JSON.stringify({ data: 'd', folders: ['f'], database: 'sqlite:b.db', events: 'sqlite:e.db' }));
  const [database, events] = [`sqlite:${join(folder, 'b.db')}`, `sqlite:${join(folder, 'e.db')}`];
  expect(load({ file })).toMatchObject({ data: join(folder, 'd'), folders: [join(folder, 'f')], database, events });
  expect(load({ flags: { data: 'd' } }).archive).toBe(join(cwd, 'd/archive'));
  expect(load({ env: { SAMOVAR_ARCHIVE: 'a' } }).archive).toBe(join(cwd, 'a'));
  expect(load({ flags: { database: 'sqlite:b.db' } }).database).toBe(`sqlite:${join(cwd, 'b.db')}`);
  expect(load({ env: { SAMOVAR_CONFIG: file }, flags: { folders: ['g'] } })).toMatchObject({
    folders: [join(cwd, 'g')],
  });
});

it.each(['sqlite:/srv/e.db', 'sqlite:///srv/e.db', 'nats://ann:hush@a:4222,b'])(
  'takes %s as an event log',
  (events) => {
    expect(load({ env: { SAMOVAR_EVENTS: events } }).events).toBe(events);
  },
);

it.each(['sqlite:/srv/b.db', 'sqlite::memory:', 'postgres://ann:hush@db.example:5432/tea?sslmode=require'])(
  'takes %s as a database',
  (database) => {
    expect(load({ env: { SAMOVAR_DATABASE: database } }).database).toBe(database);
  },
);

it('reads how large an event log on a server may grow', () => {
  const env = { SAMOVAR_EVENTS_MAX_BYTES: '1000000000', SAMOVAR_EVENTS_REPLICAS: '3' };
  expect(load({ env })).toMatchObject({ eventsMaxBytes: 1e9, eventsReplicas: 3 });
  expect(faultsOf({ env: { SAMOVAR_EVENTS_MAX_BYTES: '12' } })).toEqual([
    expect.stringMatching(/^eventsMaxBytes .* 12: /),
  ]);
});

it('reads true and false from text', () => {
  expect(load({ env: { SAMOVAR_MIGRATE_AT_START: 'false' } }).migrateAtStart).toBe(false);
  const flags = { migrateAtStart: true };
  expect(load({ env: { SAMOVAR_MIGRATE_AT_START: 'false' }, flags }).migrateAtStart).toBe(true);
});

describe('refuses', () => {
  it('unknown keys of the file, naming key, file and the nearest one', () => {
    const path = write('samovar.config.json', { prot: 1, nonsense: 2, __proto__x: 3 });
    expect(faultsOf({})).toEqual([
      `prot (in ${path}) is no setting: did you mean port?`,
      expect.stringMatching(/^nonsense \(in .*\) is no setting; there are folders, data, /),
      expect.stringContaining('__proto__x'),
    ]);
  });

  it('unknown variables likewise', () => {
    expect(faultsOf({ env: { SAMOVAR_PROT: '1' } })).toEqual([
      'SAMOVAR_PROT is no setting: did you mean SAMOVAR_PORT?',
    ]);
  });

  it('values that do not fit, naming them and where they come from, all at once', () => {
    write('samovar.config.json', { drainMs: 'long', allowedHosts: 'a', migrateAtStart: 'no' });
    const env = { SAMOVAR_LOG_LEVEL: 'loud', SAMOVAR_PORT: '7e3' };
    expect(faultsOf({ env, flags: { registry: 'My Own' } }).toSorted()).toEqual([
      expect.stringMatching(/^allowedHosts \(from .*samovar\.config\.json\) is "a": /),
      expect.stringMatching(/^drainMs \(from .*samovar\.config\.json\) is "long": /),
      expect.stringMatching(/^logLevel \(from SAMOVAR_LOG_LEVEL\) is "loud": .*debug/),
      expect.stringMatching(/^migrateAtStart \(from .*samovar\.config\.json\) is "no": /),
      expect.stringMatching(/^port \(from SAMOVAR_PORT\) is "7e3": /),
      expect.stringMatching(/^registry \(from --registry\) is "My Own": /),
    ]);
  });

  it('values out of range, and empty names', () => {
    expect(faultsOf({ flags: { port: '65536', allowedHosts: [''] } }).toSorted()).toEqual([
      expect.stringMatching(/^allowedHosts\.0 \(from --allowed-host\)/),
      expect.stringMatching(/^port \(from --port\) is 65536: /),
    ]);
    expect(faultsOf({ env: { SAMOVAR_LEASE_MS: '999' } })).toEqual([
      expect.stringMatching(/^leaseMs \(from SAMOVAR_LEASE_MS\) is 999: /),
    ]);
  });

  it('what is no database, without showing the password that may be in it', () => {
    for (const database of ['', 'ann:hush@db', 'mysql://ann:hush@db/tea', 'postgres:ann:hush@db', 'sqlite:', 7]) {
      expect(faultsOf({ flags: { database } })).toEqual([
        expect.stringMatching(/^database \(from --database\) is not what it can be: (?!.*hush)/),
      ]);
    }
    expect(faultsOf({ env: { SAMOVAR_DATABASE: 'tea' } })).toEqual([
      expect.stringMatching(/^database \(from SAMOVAR_DATABASE\) .*: a database's URL is sqlite:<file>, .*postgres:/),
    ]);
    const path = write('samovar.config.json', { database: { url: 'postgres://ann:hush@db/tea' } });
    expect(faultsOf({})).toEqual([expect.stringMatching(`^database .from ${path}. is (?!.*hush)`)]);
  });

  it('what is no address of an event log, without showing the password that may be in it', () => {
    const path = write('samovar.config.json', { events: { url: 'nats://ann:hush@nats' } });
    expect(faultsOf({})).toEqual([expect.stringMatching(`^events .from ${path}. is not what it can be: (?!.*hush)`)]);
  });

  it('a file that is not there, not JSON or no object', () => {
    expect(faultsOf({ file: 'missing.json' })).toEqual([expect.stringContaining('missing.json')]);
    expect(faultsOf({ file: write('a.json', '{"port": }') })).toEqual([expect.stringMatching(/a\.json is not JSON: /)]);
    expect(faultsOf({ file: write('b.json', '[]') })).toEqual([expect.stringMatching(/b\.json holds no object/)]);
    expect(faultsOf({ file: cwd })).toEqual([expect.stringContaining('EISDIR')]);
  });
});
