import { readFileSync } from 'node:fs';
import { DomainError } from '@samovar/errors';
import { Command, CommanderError } from 'commander';
import { addActivities } from './commands/activities.ts';
import { addDoctor } from './commands/doctor.ts';
import { addMigrate } from './commands/migrate.ts';
import { addParked } from './commands/parked.ts';
import { addRegistry } from './commands/registry.ts';
import { addServe } from './commands/serve.ts';
import { addWorker } from './commands/worker.ts';
import { addWorkflow } from './commands/workflow.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

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
  addParked(command);
  addRegistry(command);
  addWorkflow(command);
  addActivities(command);
  addWorker(command);
  return command;
}

function textOf(error: unknown): string {
  if (DomainError.is(error)) return error.message.replaceAll('\n', '\n  ');
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Whether trying again needs something else to be asked for, or to be there. */
function isOfTheCaller(error: unknown): boolean {
  return DomainError.is(error) && ['invalid_argument', 'failed_precondition', 'not_found'].includes(error.status);
}
