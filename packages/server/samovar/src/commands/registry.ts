import type { Command } from 'commander';
import { standardOutput } from '../output.ts';
import { addRepo, initRegistry, listRegistries, removeRepo } from '../registries.ts';
import { addServer, type ServerFlags, serverOf } from './server.ts';

const registryHelp = `
A registry is a group of repositories: a running server records their history, and keeps observing them.
`;

/** Adds `samovar registry init|add|rm|ls`. */
export function addRegistry(command: Command): void {
  const registry = command
    .command('registry')
    .description('Make registries, and say which repositories they have, on a running server.')
    .addHelpText('after', registryHelp);
  addServer(registry.command('init'))
    .description('Make a registry. One that is there is left as it is.')
    .argument('[name]', 'what to call it', 'main')
    .action((name: string, flags: ServerFlags) => initRegistry(serverOf(flags), standardOutput(), name));
  addServer(registry.command('add'))
    .description('Add a local git repository. One that is there is left as it is.')
    .argument('<path>', 'the top of a work tree, or a bare repository')
    .option('--name <name>', 'what to call it (default: the last part of the path)')
    .option('--registry <name>', 'to which registry', 'main')
    .action((path: string, { name, registry, ...flags }: ServerFlags & { name?: string; registry: string }) =>
      addRepo(serverOf(flags), standardOutput(), { registry, path, name, cwd: process.cwd() }),
    );
  addServer(registry.command('rm'))
    .description('Take a repository out of its registry. What was recorded stays.')
    .argument('<repository>', 'its id, name or path')
    .option('--registry <name>', 'of which registry', 'main')
    .action((repo: string, { registry, ...flags }: ServerFlags & { registry: string }) =>
      removeRepo(serverOf(flags), standardOutput(), registry, repo),
    );
  addServer(registry.command('ls'))
    .description('List a registry, or all, with their repositories.')
    .argument('[name]', 'which one (default: all)')
    .option('--json', 'write one JSON document')
    .action((name: string | undefined, { json = false, ...flags }: ServerFlags & { json?: boolean }) =>
      listRegistries(serverOf(flags), standardOutput(), { registry: name, json }),
    );
}
