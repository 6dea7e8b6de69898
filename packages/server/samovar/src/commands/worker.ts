import { entityKinds } from '@samovar/activity';
import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { interrupts } from '../interrupts.ts';
import { stderrLogger } from '../logger.ts';
import { standardOutput } from '../output.ts';
import { kindsOf, work } from '../worker.ts';
import { logLevelHelp } from './help.ts';

const workerHelp = `
The server is one that was started with --grpc-port. Beyond this machine it speaks TLS (grpcs://) and asks for a token, which is
given in SAMOVAR_GRPC_TOKEN. The worker shares the activities with the server and other workers: it gets its part of them within
seconds. Whoever runs an activity has its lease: a worker that is killed hands over within ten seconds (the server's setting
leaseMs), and one that is stopped at once. A server that is to run none itself is started with --no-activities.
`;

interface Flags {
  readonly server: string;
  readonly kinds: string;
  readonly ca?: string;
  readonly logLevel?: string;
}

/** Adds `samovar worker`. */
export function addWorker(command: Command): void {
  command
    .command('worker')
    .description('Run the activities of a server that is running elsewhere, until Ctrl-C.')
    .option('--server <url>', 'where that speaks gRPC', 'grpc://127.0.0.1:7421')
    .option('--kinds <kinds>', `of which kinds of entities: a list of ${entityKinds.join(', ')}`, entityKinds.join())
    .option('--ca <file>', 'certificates that stand for the server, as PEM (default: those that the system trusts)')
    .option('--log-level <level>', logLevelHelp)
    .addHelpText('after', workerHelp)
    .action(workUntilSignal);
}

async function workUntilSignal({ server, kinds, ca, ...flags }: Flags): Promise<void> {
  const { logLevel, drainMs, grpcToken: token } = loadConfig({ flags, env: process.env, cwd: process.cwd() });
  const output = standardOutput();
  const { ctx } = interrupts(() => output.line('stopping…'));
  await work({ server, token, ca, kinds: kindsOf(kinds), drainMs }, output, stderrLogger(logLevel), ctx);
}
