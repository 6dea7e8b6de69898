import { readFileSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { InvalidDatabaseUrlError } from '@samovar/db';
import { sqliteFile } from '@samovar/dbimpl';
import { RegistryName } from '@samovar/repos';
import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { InvalidConfigError } from './errors.ts';

/** What a samovar can be told, and what it does when it is not. */
const Settings = z.strictObject({
  folders: z.array(z.string().min(1)).default([]),
  data: z.string().min(1).default('.samovar'),
  events: z.string().min(1).optional(),
  eventsCluster: z.string().default('samovar'),
  eventsReplicas: z.int().min(1).optional(),
  eventsMaxBytes: z.int().min(1_024).optional(),
  database: z.string().refine(isDatabaseUrl, { error: new InvalidDatabaseUrlError().message }).optional(),
  migrateAtStart: z.boolean().default(true),
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(7420),
  allowedHosts: z.array(z.string().min(1)).default([]),
  maxBodyBytes: z.int().min(1_024).default(1_048_576),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  registry: RegistryName.default('main'),
  drainMs: z.int().min(0).max(600_000).default(10_000),
  archive: z.string().min(1).optional(),
  cronMs: z.int().min(100).max(86_400_000).default(30_000),
  activities: z.boolean().default(true),
  leaseMs: z.int().min(1_000).max(600_000).default(10_000),
  grpcHost: z.string().min(1).default('127.0.0.1'),
  grpcPort: z.int().min(0).max(65_535).optional(),
  grpcToken: z
    .string()
    .regex(/^[\x21-\x7e]{16,}$/, 'at least 16 characters are needed, without spaces')
    .optional(),
  grpcCert: z.string().min(1).optional(),
  grpcKey: z.string().min(1).optional(),
});

/** How a samovar runs. Paths are absolute. */
export interface Config extends Readonly<z.output<typeof Settings>> {
  /** Whose git repositories are observed. */
  readonly folders: string[];
  /** Where everything that lasts is kept. */
  readonly data: string;
  /** The address of the event log. It may hold a password: it is not to be shown. */
  readonly events: string;
  /** The address of the services' database. It may hold a password: it is not to be shown. */
  readonly database: string;
  /** Where bundles of archived repositories are kept. */
  readonly archive: string;
}

/** Where settings come from, the stronger first. */
export interface Sources {
  /** By the setting's name; undefined ones count as not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Those that begin with SAMOVAR_. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The configuration file; default: samovar.config.json in `cwd`, if there is one. */
  readonly file?: string | undefined;
  /** What relative paths start from, but for those in the file: they start from its folder. */
  readonly cwd: string;
}

type Name = keyof typeof Settings.shape;
type Given = ReadonlyMap<string, { readonly value: unknown; readonly source: string }>;

const names = Object.keys(Settings.shape) as Name[];
const variables = new Map(names.map((name) => [`SAMOVAR_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`, name]));
const fileVariable = 'SAMOVAR_CONFIG';
/** Where the verbs for a running server find that: no setting of a server. */
export const serverVariable = 'SAMOVAR_SERVER';
/** Settings whose values are not shown. */
const secrets: readonly string[] = ['database', 'events', 'grpcToken'] satisfies Name[];
/** Settings that are paths. */
const paths = ['data', 'archive', 'grpcCert', 'grpcKey'] as const satisfies readonly Name[];
const lists: Readonly<Partial<Record<Name, string>>> = { folders: delimiter, allowedHosts: ',' };
const defaultFile = 'samovar.config.json';

/** @throws {InvalidConfigError} naming every fault and where it comes from. */
export function loadConfig({ flags, env, file, cwd }: Sources): Config {
  const faults: string[] = [];
  const path = file ?? (env[fileVariable] || undefined);
  const given: Given = new Map([
    ...fromFile(path === undefined ? join(cwd, defaultFile) : resolve(cwd, path), path !== undefined, faults),
    ...fromEnvironment(env, cwd, faults),
    ...fromFlags(flags, cwd),
  ]);
  const parsed = Settings.safeParse(Object.fromEntries([...given].map(([name, { value }]) => [name, value])));
  for (const issue of parsed.error?.issues ?? []) faults.push(describe(issue, given));
  if (!parsed.success || faults.length > 0) throw new InvalidConfigError(faults);
  const { data, folders, events, database, archive, ...rest } = parsed.data;
  const dataDir = resolve(cwd, data);
  return {
    ...rest,
    data: dataDir,
    folders: folders.length > 0 ? folders : [cwd],
    events: events ?? `sqlite:${join(dataDir, 'events.db')}`,
    database: database ?? `sqlite:${join(dataDir, 'samovar.db')}`,
    archive: archive ?? join(dataDir, 'archive'),
  };
}

/** Whether the database is kept in the data directory, which one samovar has for itself at a time. */
export function ownsDatabase({ data, database }: Config): boolean {
  const file = sqliteFile(database);
  if (file === undefined) return false;
  const path = relative(data, file);
  return !isAbsolute(path) && !path.startsWith(`..${sep}`);
}

function* fromFlags(flags: Readonly<Record<string, unknown>>, cwd: string) {
  for (const [name, value] of Object.entries(flags)) {
    const given = value !== undefined && !(Array.isArray(value) && value.length === 0);
    if (given) yield [name, { value: absolute(name, typed(name, value), cwd), source: flagOf(name) }] as const;
  }
}

function* fromEnvironment(env: Sources['env'], cwd: string, faults: string[]) {
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('SAMOVAR_') || [fileVariable, serverVariable].includes(variable) || !text) continue;
    const name = variables.get(variable);
    if (name === undefined) {
      faults.push(
        `${variable} is no setting${suggestion(variable, [...variables.keys(), fileVariable, serverVariable])}`,
      );
    } else {
      const separator = lists[name];
      const value = separator === undefined ? typed(name, text) : text.split(separator);
      yield [name, { value: absolute(name, value, cwd), source: variable }] as const;
    }
  }
}

function* fromFile(path: string, mustExist: boolean, faults: string[]) {
  for (const [name, value] of Object.entries(readSettings(path, mustExist))) {
    if ((names as string[]).includes(name)) {
      yield [name, { value: absolute(name, value, dirname(path)), source: path }] as const;
    } else {
      faults.push(`${name} (in ${path}) is no setting${suggestion(name, names)}`);
    }
  }
}

function readSettings(path: string, mustExist: boolean): object {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (!mustExist && (cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new InvalidConfigError([`cannot read the configuration file: ${(cause as Error).message}`], { cause });
  }
  try {
    const settings: unknown = JSON.parse(text);
    if (typeof settings === 'object' && settings !== null && !Array.isArray(settings)) return settings;
  } catch (cause) {
    throw new InvalidConfigError([`${path} is not JSON: ${(cause as Error).message}`], { cause });
  }
  throw new InvalidConfigError([`${path} holds no object of settings`]);
}

/** Text that says a number, or true or false, as what it says, where the setting is one. */
function typed(name: string, value: unknown): unknown {
  const wanted = Settings.shape[name as Name]?.unwrap();
  if (typeof value !== 'string') return value;
  if (wanted instanceof z.ZodNumber && /^-?\d+$/.test(value)) return Number(value);
  return wanted instanceof z.ZodBoolean && /^(true|false)$/.test(value) ? value === 'true' : value;
}

function isDatabaseUrl(url: string): boolean {
  try {
    sqliteFile(url);
    return true;
  } catch {
    return false;
  }
}

function absolute(name: string, value: unknown, from: string): unknown {
  const path = (value: unknown) => (typeof value === 'string' && value !== '' ? resolve(from, value) : value);
  if ((paths as readonly string[]).includes(name)) return path(value);
  if (name === 'database' && typeof value === 'string' && isDatabaseUrl(value)) {
    const file = sqliteFile(value);
    return file === undefined ? value : `sqlite:${resolve(from, file)}`;
  }
  if (name === 'events' && typeof value === 'string') {
    return value.replace(/^sqlite:(?!\/)(.+)$/i, (_, file: string) => `sqlite:${resolve(from, file)}`);
  }
  return name === 'folders' && Array.isArray(value) ? value.map(path) : value;
}

function flagOf(name: string): string {
  if (name === 'folders') return 'the folders';
  return `--${name.replace(/s$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function describe({ path, message }: z.core.$ZodIssue, given: Given): string {
  const { value, source } = given.get(String(path[0])) ?? {};
  const name = path.join('.');
  const shown = secrets.includes(name) ? 'not what it can be' : JSON.stringify(value);
  return `${name} (from ${source}) is ${shown}: ${message}`;
}

function suggestion(name: string, known: readonly string[]): string {
  const best = closest(name, known);
  return distance(name, best) <= 3 ? `: did you mean ${best}?` : `; there are ${known.join(', ')}`;
}
