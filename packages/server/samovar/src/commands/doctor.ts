import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { doctor } from '../doctor.ts';
import { standardOutput } from '../output.ts';
import { configHelp, databaseHelp, dataHelp, logLevelHelp, settingsHelp } from './help.ts';

const doctorExitHelp = `
Exit code: 0 if there are no errors (warnings and notes may be), 1 if there are, 2 if what was asked for cannot be.`;

export function addDoctor(command: Command): void {
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

interface DoctorFlags {
  readonly config?: string;
  readonly json?: boolean;
}

async function examineOnce({ config: file, json = false, ...flags }: DoctorFlags): Promise<void> {
  const config = loadConfig({ flags, env: process.env, file, cwd: process.cwd() });
  await doctor(config, standardOutput(), { json });
}
