import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { migrate } from '../migrate.ts';
import { standardOutput } from '../output.ts';
import { configHelp, databaseHelp, dataHelp, exitHelp, logLevelHelp, settingsHelp } from './help.ts';

export function addMigrate(command: Command): void {
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

interface MigrateFlags {
  readonly config?: string;
  readonly dryRun?: boolean;
}

async function migrateOnce({ config: file, dryRun = false, ...flags }: MigrateFlags): Promise<void> {
  const config = loadConfig({ flags, env: process.env, file, cwd: process.cwd() });
  await migrate(config, standardOutput(), { dryRun });
}
