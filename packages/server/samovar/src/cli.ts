import { readFileSync } from 'node:fs';
import { background, withCancel } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { Command, CommanderError } from 'commander';
import { loadConfig } from './config.ts';
import { doctor } from './doctor.ts';
import { migrate } from './migrate.ts';
import { standardOutput } from './output.ts';
import { serve } from './serve.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const settingsHelp = `
Each option may also be given as an environment variable (--log-level: SAMOVAR_LOG_LEVEL; lists are comma-separated) or
in the configuration file (logLevel), a JSON object. Options come before variables, variables before the file.
`;

const serveHelp = `
There are further settings: events (the event log's address, default sqlite:<data>/events.db), maxBodyBytes (of a request,
default 1048576), drainMs (how long a shutdown waits for work under way, default 10000), and folders.

The first Ctrl-C, SIGTERM or SIGHUP stops samovar once work under way is done; a second one does not wait for it.
`;

const exitHelp = `
Exit code: 0 after a clean end, 2 if what was asked for cannot be (options, configuration, folders, or migrations that
were changed or are pending), 1 otherwise.`;

const doctorExitHelp = `
Exit code: 0 if there are no errors (warnings and notes may be), 1 if there are, 2 if what was asked for cannot be.`;

const dataHelp = 'where to keep the event log, and the database unless that is elsewhere (default: .samovar)';
const databaseHelp =
  'the services’ database: sqlite:<file> or postgres://user:password@host/name (default: sqlite:<data>/samovar.db); a ' +
  'password is better kept in SAMOVAR_DATABASE, as other users of the machine can see options';
const logLevelHelp = 'debug, info, warn, error or silent; logs go to standard error (default: info)';
const configHelp = 'configuration file (default: samovar.config.json, if there is one)';

/** One Ctrl-C comes several times where a package manager in between hands it on to a process that has it already. */
const oneSignalMs = 500;

/** Runs the command; resolves with its exit code. */
export async function samovar(args: readonly string[]): Promise<number> {
  try {
    // A package manager may hand on the `--` that parts its own options from the script's.
    await program().parseAsync(args[1] === '--' ? args.toSpliced(1, 1) : args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`samovar: ${textOf(error)}\n`);
    return isOfTheCaller(error) ? 2 : 1;
  }
}

function program(): Command {
  const command = new Command('samovar')
    .description('Services, events and durable streams.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(--help tells what there is)');
  addServe(command);
  addMigrate(command);
  addDoctor(command);
  return command;
}

function addServe(command: Command): void {
  command
    .command('serve')
    .description('Serve the HTTP API, record the history of the git repositories in folders, and keep observing them.')
    .argument('[folders...]', 'where to look for git repositories, with all below (default: the working folder)')
    .option('--data <dir>', dataHelp)
    .option('--database <url>', databaseHelp)
    .option('--migrate-at-start', 'migrate the database first, as far as it is not (default)')
    .option('--no-migrate-at-start', 'do not start with a database that is still to be migrated')
    .option('--host <name>', 'where to listen (default: 127.0.0.1, so that only this machine can ask)')
    .option('--port <number>', 'on which port; 0 is any free one (default: 7420)')
    .option(
      '--allowed-host <name>',
      'a further name that requests may call the server by; may be repeated',
      collect,
      [],
    )
    .option('--registry <name>', 'which group the repositories belong to (default: main)')
    .option('--log-level <level>', logLevelHelp)
    .option('--config <file>', configHelp)
    .addHelpText('after', settingsHelp + serveHelp + exitHelp)
    .action(serveUntilSignal);
}

function addMigrate(command: Command): void {
  command
    .command('migrate')
    .description(
      'Migrate the database to what the services of this samovar need, and tell of each step. Safe to repeat.',
    )
    .option('--dry-run', 'tell what would be applied, and change nothing')
    .option('--data <dir>', dataHelp)
    .option('--database <url>', databaseHelp)
    .option('--log-level <level>', logLevelHelp)
    .option('--config <file>', configHelp)
    .addHelpText('after', settingsHelp + exitHelp)
    .action(migrateOnce);
}

function addDoctor(command: Command): void {
  command
    .command('doctor')
    .description(
      'Look whether all is well: everything can be put together, every message has its handler, no migration is ' +
        'pending, no event is stuck in the outbox, and the stored subscriptions are as configured. Changes nothing; a ' +
        'server may be running meanwhile.',
    )
    .option('--json', 'write one JSON document')
    .option('--data <dir>', dataHelp)
    .option('--database <url>', databaseHelp)
    .option('--log-level <level>', logLevelHelp)
    .option('--config <file>', configHelp)
    .addHelpText('after', settingsHelp + doctorExitHelp)
    .action(examineOnce);
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

interface ServeFlags {
  readonly config?: string;
  readonly allowedHost?: readonly string[];
}

async function serveUntilSignal(folders: string[], { config: file, allowedHost, ...rest }: ServeFlags): Promise<void> {
  const flags = { ...rest, folders, allowedHosts: allowedHost };
  const config = loadConfig({ flags, env: process.env, file, cwd: process.cwd() });
  const output = standardOutput();
  const { ctx, cancel } = withCancel(background);
  const hurry = new AbortController();
  let stoppedAt: number | undefined;
  const onSignal = () => {
    if (stoppedAt === undefined) {
      stoppedAt = performance.now();
      output.line('stopping…');
      cancel();
    } else if (performance.now() - stoppedAt > oneSignalMs) {
      hurry.abort();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
  await serve(config, output, ctx, hurry.signal);
}

interface MigrateFlags {
  readonly config?: string;
  readonly dryRun?: boolean;
}

async function migrateOnce({ config: file, dryRun = false, ...flags }: MigrateFlags): Promise<void> {
  const config = loadConfig({ flags, env: process.env, file, cwd: process.cwd() });
  await migrate(config, standardOutput(), { dryRun });
}

interface DoctorFlags {
  readonly config?: string;
  readonly json?: boolean;
}

async function examineOnce({ config: file, json = false, ...flags }: DoctorFlags): Promise<void> {
  const config = loadConfig({ flags, env: process.env, file, cwd: process.cwd() });
  await doctor(config, standardOutput(), { json });
}

function textOf(error: unknown): string {
  if (DomainError.is(error)) return error.message.replaceAll('\n', '\n  ');
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Whether trying again needs something else to be asked for, or to be there. */
function isOfTheCaller(error: unknown): boolean {
  return DomainError.is(error) && (error.status === 'invalid_argument' || error.status === 'failed_precondition');
}
