import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { interrupts } from '../interrupts.ts';
import { standardOutput } from '../output.ts';
import { serve } from '../serve.ts';
import { configHelp, databaseHelp, dataHelp, exitHelp, logLevelHelp, settingsHelp } from './help.ts';

const serveHelp = `
There are further settings: events (the event log's address: sqlite:<file> or nats://user:password@host, default
sqlite:<data>/events.db), on NATS eventsCluster (which of the logs there, default samovar), eventsReplicas (how many
servers keep it, default 1) and eventsMaxBytes (what it may take on each; when it is full, nothing more is recorded;
default: as the server allows), which count when it is made, maxBodyBytes (of a request, default 1048576), drainMs (how
long a shutdown waits for work under way, default 10000), cronMs (how often repositories are looked at although no change
was seen, and finished workflows deleted whose time is over, default 30000), leaseMs (how long activities stay with a
process that gives no sign of life, from 1000 on, default 10000; the same for all servers that share a database or an
event log), archive (the folder for bundles of archived repositories, default <data>/archive), grpcToken (what callers of
gRPC have to send; best in SAMOVAR_GRPC_TOKEN), and folders.

The first Ctrl-C, SIGTERM or SIGHUP stops samovar once work under way is done; a second one does not wait for it.
`;

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
    .option('--grpc-port <number>', 'speak gRPC too, for workers and other programs, on this port; 0 is any free one')
    .option(
      '--grpc-host <name>',
      'where to speak it (default: 127.0.0.1); beyond that it needs the next two and a token',
    )
    .option('--grpc-cert <file>', 'the certificate for TLS, as PEM')
    .option('--grpc-key <file>', 'its key')
    .option('--activities', 'run activities in this process (default)')
    .option('--no-activities', 'leave all activities to workers')
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
  const { ctx, hurry } = interrupts(() => output.line('stopping…'));
  await serve(config, output, ctx, hurry);
}
