import type { Command } from 'commander';
import { standardOutput } from '../output.ts';
import { findRepo } from '../registries.ts';
import { cancelWorkflow, deleteWorkflow, startWorkflow, tellWorkflows, type WorkflowsOptions } from '../workflows.ts';
import { whole } from './numbers.ts';
import { addServer, type ServerFlags, serverOf } from './server.ts';

const workflowHelp = `
A workflow is work that takes long: it goes on after a crash, and ends once. Exit code: 1 if one that was waited for has
not succeeded.
`;

/** Adds `samovar workflow start|status|cancel|rm`. */
export function addWorkflow(command: Command): void {
  const workflow = command
    .command('workflow')
    .description('Begin workflows, see how far they are, and cancel them, on a running server.')
    .addHelpText('after', workflowHelp);
  const start = workflow.command('start').description('Begin a workflow.');
  addOptions(start.command('ping'))
    .description('Ask every repository of a registry for a sign of life, and gather the answers.')
    .option('--timeout <ms>', 'how long to wait for answers, in milliseconds', whole, 10_000)
    .action(({ timeout: timeoutMs, ...flags }: Flags & { timeout: number }) =>
      startWorkflow(serverOf(flags), standardOutput(), { type: 'PingRegistry', timeoutMs }, optionsOf(flags)),
    );
  addOptions(start.command('archive'))
    .description('Pack a repository into a git bundle in the archive folder, then mark it as archived.')
    .argument('<repository>', 'its id, name or path')
    .action(async (repo: string, flags: Flags) => {
      const server = serverOf(flags);
      const { repoId } = await findRepo(server, flags.registry, repo);
      await startWorkflow(server, standardOutput(), { type: 'ArchiveRepo', repoId }, optionsOf(flags));
    });
  addOptions(workflow.command('status'))
    .description('Tell how far a workflow is, or list them all.')
    .argument('[id]', 'which one (default: all)')
    .action((id: string | undefined, flags: Flags) =>
      tellWorkflows(serverOf(flags), standardOutput(), id, optionsOf(flags)),
    );
  addOptions(workflow.command('cancel'))
    .description('Ask for the end of a workflow: whoever does the work stops, and cleans up.')
    .argument('<id>', 'which one')
    .action((id: string, flags: Flags) => cancelWorkflow(serverOf(flags), standardOutput(), id, optionsOf(flags)));
  addServer(workflow.command('rm'))
    .description('Delete a finished workflow with all its events.')
    .argument('<id>', 'which one')
    .option('--registry <name>', 'of which registry', 'main')
    .action((id: string, flags: ServerFlags & { registry: string }) =>
      deleteWorkflow(serverOf(flags), standardOutput(), id, flags),
    );
}

interface Flags extends ServerFlags {
  readonly registry: string;
  readonly wait?: boolean;
  readonly json?: boolean;
}

function addOptions(command: Command): Command {
  return addServer(command)
    .option('--registry <name>', 'of which registry', 'main')
    .option('--wait', 'follow it to its end')
    .option('--json', 'write JSON documents');
}

function optionsOf({ registry, wait = false, json = false }: Flags): WorkflowsOptions {
  return { registry, wait, json };
}
