import { Command, CommanderError } from 'commander';
import { run } from './command.ts';
import { commit } from './commit.ts';
import { type MessagePlan, type MessageRequest, planMessage } from './message.ts';
import type { Plan } from './plan.ts';
import { Refusal } from './refusal.ts';
import { planService, type ServiceRequest } from './service.ts';

export interface CliOptions {
  /** The workspace. */
  readonly root: string;
  /** Stops what is under way; the workspace is then as it was. */
  readonly signal: AbortSignal;
}

interface Flags {
  readonly dryRun?: boolean;
}

/** Runs `pnpm new`. The exit code: 0, 1 if something failed, 2 if it is refused; unless 0, the workspace is as it was. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<number> {
  const program = new Command('pnpm new')
    .description('Adds a service to the workspace, or a message to a service. Either all of it is added, or nothing.')
    .exitOverride();
  program
    .command('service')
    .description('Root, impl and test package of a new service, with a first command, query and event.')
    .argument('<name>', 'lower-case letters and digits, such as teapot')
    .option('--depends <domains>', 'domains whose contracts its constructor gets, such as teapot,numerical', '')
    .option('--store <kind>', 'where it keeps things: sql, events (one stream for each), or none (in memory)', 'sql')
    .option('--event <Name>', 'its event, in the past tense, such as TeaBrewed (default: …Added)')
    .option('--dry-run', 'list the files, and write nothing')
    .action((name: string, flags: Flags & { depends: string; store: string; event?: string }) => {
      const depends = flags.depends
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== '');
      return newService({ name, depends, store: flags.store, event: flags.event }, flags, options);
    });
  program
    .command('message')
    .description('A command, query or event in the root of a service, with method, handler and double to fill in.')
    .argument('<service>', 'a domain with a contract, such as numerical')
    .argument('<Kind>', 'Command, Query or Event')
    .argument('<Name>', 'such as BrewTea; the suffix may be left away')
    .option('--dry-run', 'list the files, and write nothing')
    .action((service: string, kind: string, name: string, flags: Flags) =>
      newMessage({ service, kind, name }, flags, options),
    );
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return report(error, options.signal);
  }
}

function report(error: unknown, signal: AbortSignal): number {
  // Commander has said it.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Refusal) {
    console.error(error.message);
    return 2;
  }
  if (signal.aborted) console.error('interrupted: everything is as it was');
  else console.error(`${error instanceof Error ? error.message : String(error)}\n\neverything is as it was`);
  return 1;
}

async function newService(request: ServiceRequest, { dryRun }: Flags, { root, signal }: CliOptions): Promise<void> {
  const plan = await planService(root, request);
  if (dryRun) return list(plan);
  await commit(root, plan, ['README.md', 'pnpm-lock.yaml'], async () => {
    await install(root, signal);
    await format(root, plan, signal);
    const hierarchy = ['node', '--conditions=@samovar/source', 'tools/hierarchy/src/main.ts', '--readme'] as const;
    await step('README.md, its table of domains', () => run(hierarchy, root, signal));
  });
  const { name, store } = request;
  const added = [...plan.created.keys()].find((path) => path.endsWith('/service.ts'));
  const first = /Add\w+Command/.exec(plan.created.get(`packages/${name}/${name}/src/${name}.ts`) ?? '')?.[0];
  console.log(`
made packages/${name}: ${name}, ${name}impl, ${name}test (${plan.created.size} files), and added ${name}Module to modules.ts

the contract  packages/${name}/${name}/src/${name}.ts; what keeps it: ${added}
test it       pnpm --filter './packages/${name}/*' test
call it       pnpm start, then
              curl localhost:7420/v1/${name}/${first} -H 'content-type: application/json' -d '{"id": "a", "name": "Ada"}'
and then      pnpm new message ${name} Command …; pnpm verify${store === 'sql' ? '; another column is another step in migrations.ts' : ''}`);
}

async function newMessage(request: MessageRequest, { dryRun }: Flags, { root, signal }: CliOptions): Promise<void> {
  const plan = planMessage(root, request);
  if (dryRun) return list(plan);
  const changesManifest = [...plan.edited.keys()].some((path) => path.endsWith('/package.json'));
  await commit(root, plan, changesManifest ? ['pnpm-lock.yaml'] : [], async () => {
    if (changesManifest) await install(root, signal);
    await format(root, plan, signal);
  });
  console.log(`\n${nextForMessage(plan)}`);
}

function nextForMessage({ message, root, service, suite }: MessagePlan): string {
  const { domain, kind, constant, method, error } = message;
  const added = `added the ${kind} ${domain}.${constant}`;
  if (kind === 'event') {
    return `${added}

say what it tells  ${root}
publish it         ${service}: this.#bus.publish(ctx, ${constant}, {…}),
                   or newEvent(${constant}, {…}) where it appends to a log itself
                   until then pnpm hierarchy fails: unpublished-event`;
  }
  return `${added}, and ${method}() to contract, service and double; both throw ${error}

say what it takes${kind === 'query' ? ' and answers' : ''}  ${root}
fill in the case, then service and double until it passes
                   ${suite}: it.todo('answers ${domain}.${constant}')
                   ${service}
until then pnpm verify counts the case as skipped; nothing needs ${error} afterwards`;
}

function list({ created, edited }: Plan): void {
  for (const path of created.keys()) console.log(`new     ${path}`);
  for (const path of edited.keys()) console.log(`change  ${path}`);
}

async function install(root: string, signal: AbortSignal): Promise<void> {
  await step('pnpm install', () => run(['pnpm', 'install', '--prefer-offline', '--no-frozen-lockfile'], root, signal));
}

async function format(root: string, { created, edited }: Plan, signal: AbortSignal): Promise<void> {
  const paths = [...created.keys(), ...edited.keys()].filter((path) => !path.endsWith('.md'));
  await step('biome: format, sort imports', () =>
    run(['biome', 'check', '--write', '--linter-enabled=false', '--colors=off', ...paths], root, signal),
  );
}

/** Says what is being done, and how long it took. */
async function step(what: string, act: () => Promise<void>): Promise<void> {
  const started = performance.now();
  process.stdout.write(`… ${what}`);
  await act().catch((error: unknown) => {
    process.stdout.write('\n');
    throw error;
  });
  process.stdout.write(`: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
