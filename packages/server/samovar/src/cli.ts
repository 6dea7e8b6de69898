import { readFileSync } from 'node:fs';
import { background, withCancel } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { Command, CommanderError } from 'commander';
import { loadConfig } from './config.ts';
import { standardOutput } from './output.ts';
import { serve } from './serve.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const settingsHelp = `
Each option may also be given as an environment variable (--log-level: SAMOVAR_LOG_LEVEL; lists are comma-separated) or
in the configuration file (logLevel), a JSON object. Options come before variables, variables before the file. There are
further settings: events (the event log's address, default sqlite:<data>/events.db), maxBodyBytes (of a request, default
1048576), drainMs (how long a shutdown waits for work under way, default 10000), and folders.

The first Ctrl-C, SIGTERM or SIGHUP stops samovar once work under way is done; a second one does not wait for it.
Exit code: 0 after a clean stop, 2 if what was asked for cannot be (options, configuration, folders), 1 otherwise.`;

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
  command
    .command('serve')
    .description('Serve the HTTP API, record the history of the git repositories in folders, and keep observing them.')
    .argument('[folders...]', 'where to look for git repositories, with all below (default: the working folder)')
    .option('--data <dir>', 'where to keep the event log (default: .samovar)')
    .option('--host <name>', 'where to listen (default: 127.0.0.1, so that only this machine can ask)')
    .option('--port <number>', 'on which port; 0 is any free one (default: 7420)')
    .option(
      '--allowed-host <name>',
      'a further name that requests may call the server by; may be repeated',
      collect,
      [],
    )
    .option('--registry <name>', 'which group the repositories belong to (default: main)')
    .option('--log-level <level>', 'debug, info, warn, error or silent; logs go to standard error (default: info)')
    .option('--config <file>', 'configuration file (default: samovar.config.json, if there is one)')
    .addHelpText('after', settingsHelp)
    .action(serveUntilSignal);
  return command;
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

function textOf(error: unknown): string {
  if (DomainError.is(error)) return error.message.replaceAll('\n', '\n  ');
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Whether trying again needs something else to be asked for, or to be there. */
function isOfTheCaller(error: unknown): boolean {
  return DomainError.is(error) && (error.status === 'invalid_argument' || error.status === 'failed_precondition');
}
