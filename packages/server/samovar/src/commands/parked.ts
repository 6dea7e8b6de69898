import { parseEventId } from '@samovar/eda';
import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { standardOutput } from '../output.ts';
import { listParked, replayParked, skipParked } from '../parked.ts';
import { configHelp, dataHelp, settingsHelp } from './help.ts';
import { whole } from './numbers.ts';

const parkedHelp = `
An event is parked when its handler has failed too often; later ones of its key wait behind it. A server may be running
meanwhile: it carries out what is asked for here, at once.
`;

/** Adds `samovar parked list|replay|skip`. */
export function addParked(command: Command): void {
  const parked = command
    .command('parked')
    .description('See, replay and skip the events that subscriptions have given up.')
    .addHelpText('after', parkedHelp);
  addSettings(parked.command('list'))
    .description('List parked events, of one subscription or of all.')
    .argument('[subscription]', 'its name')
    .action((subscription: string | undefined, flags: Flags) =>
      listParked(configOf(flags), standardOutput(), subscription),
    );
  addSettings(parked.command('replay'))
    .description('Have parked events handled again, and then what waits behind them.')
    .argument('<subscription>', 'its name')
    .argument('[ids...]', 'which events (default: all)')
    .option('--dry-run', 'say what would be handled again, and do nothing')
    .option('--limit <number>', 'refuse to have more events than this handled again', whole, 1_000)
    .action((subscription: string, ids: string[], { dryRun = false, limit, ...flags }: Flags & ReplayFlags) =>
      replayParked(configOf(flags), standardOutput(), subscription, ids.map(parseEventId), { dryRun, limit }),
    );
  addSettings(parked.command('skip'))
    .description('Give a parked event up for good, as if it had been handled.')
    .argument('<subscription>', 'its name')
    .argument('<id>', 'which event')
    .action((subscription: string, id: string, flags: Flags) =>
      skipParked(configOf(flags), standardOutput(), subscription, parseEventId(id)),
    );
}

interface Flags {
  readonly config?: string;
  readonly data?: string;
  readonly events?: string;
}

interface ReplayFlags {
  readonly dryRun?: boolean;
  readonly limit: number;
}

function addSettings(command: Command): Command {
  return command
    .option('--data <dir>', dataHelp)
    .option('--events <url>', 'the event log (default: sqlite:<data>/events.db)')
    .option('--config <file>', configHelp)
    .addHelpText('after', settingsHelp);
}

function configOf({ config: file, ...flags }: Flags) {
  return loadConfig({ flags, env: process.env, file, cwd: process.cwd() });
}
