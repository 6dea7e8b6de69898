import { background, withCancel } from '@samovar/context';
import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { standardOutput } from '../output.ts';
import { serve } from '../serve.ts';
import { configHelp, databaseHelp, dataHelp, exitHelp, logLevelHelp, settingsHelp } from './help.ts';

const serveHelp = `
There are further settings: events (the event log's address: sqlite:<file> or nats://user:password@host, default
sqlite:<data>/events.db), on NATS eventsCluster (which of the logs there, default samovar), eventsReplicas (how many
servers keep it, default 1) and eventsMaxBytes (what it may take on each; when it is full, nothing more is recorded;
default: as the server allows), which count when it is made, maxBodyBytes (of a request, default 1048576), drainMs (how
long a shutdown waits for work under way, default 10000), and folders.

The first Ctrl-C, SIGTERM or SIGHUP stops samovar once work under way is done; a second one does not wait for it.
`;

/** One Ctrl-C comes several times where a package manager in between hands it on to a process that has it already. */
const oneSignalMs = 500;

export function addServe(command: Command): void {
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
