import { type EntityKind, entityKinds } from '@samovar/activity';
import { type Command, Option } from 'commander';
import { listActivities } from '../activities.ts';
import { standardOutput } from '../output.ts';
import { whole } from './numbers.ts';
import { addServer, type ServerFlags, serverOf } from './server.ts';

interface Flags extends ServerFlags {
  readonly kind?: EntityKind;
  readonly limit: number;
  readonly json?: boolean;
}

/** Adds `samovar activities`. */
export function addActivities(command: Command): void {
  addServer(command.command('activities'))
    .description('Tell what the activities of a running server are doing.')
    .addOption(new Option('--kind <kind>', 'only those of this kind of entity').choices(entityKinds))
    .option('--limit <number>', 'at most so many, those that fail first', whole, 100)
    .option('--json', 'write one JSON document')
    .action(({ kind, limit, json = false, ...flags }: Flags) =>
      listActivities(serverOf(flags), standardOutput(), { kind, limit, json }),
    );
}
