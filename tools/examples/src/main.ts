import { background, type Context, withCancel } from '@samovar/context';
import type { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { DomainError } from '@samovar/errors';
import { Command, InvalidArgumentError, Option } from 'commander';
import { aggregatedState } from './aggregatedstate.ts';
import { causalGraph } from './causalgraph.ts';
import { clock } from './clock.ts';
import { engineNames, heralds } from './heralds.ts';
import { stdout } from './stdout.ts';

type Example<Options> = (ctx: Context, conn: Conn, print: (line: string) => void, options: Options) => Promise<void>;

const program = new Command('pnpm example').description(
  'Small programs on event streams. Each runs on every backend: sqlite:<file>, nats://<host>, memory:.',
);

add('clock', 'Tick; somebody else tocks, because of it.', clock)
  .option('--beats <number>', 'how often', whole, 5)
  .option('--every-ms <number>', 'milliseconds from tick to tick', whole, 500);
add('stdout', 'Print events as lines of JSON.', stdout)
  .option('--selector <selector>', 'which streams: a name, or a pattern such as clock.*', '>')
  .option('--follow', 'wait for more', false);
add('aggregated-state', 'Two producers, and one consumer that adds up what they publish.', aggregatedState).option(
  '--changes <number>',
  'how many events each producer publishes',
  whole,
  1_000,
);
add('causal-graph', 'Print which event led to which, as a graph in DOT.', causalGraph).option(
  '--selector <selector>',
  'which streams',
  '>',
);
add('herald', 'Tell of each commit of the repositories in a log: an activity.', heralds).addOption(
  new Option('--engine <engine>', 'what runs the activity').choices(engineNames).default('lazy'),
);

const args = process.argv.slice(2);
// pnpm passes a leading `--` on.
await program.parseAsync(args[0] === '--' ? args.slice(1) : args, { from: 'user' });

function add<Options extends object>(name: string, about: string, example: Example<Options>): Command {
  return program
    .command(name)
    .description(about)
    .option('--events <url>', 'the event log', 'sqlite:examples.db')
    .action(async ({ events, ...options }: Options & { readonly events: string }) => {
      const { ctx, cancel } = withCancel(background);
      process.once('SIGINT', () => cancel());
      try {
        await using conn = await connect(events, { client: name });
        await example(ctx, conn, console.log, options as unknown as Options);
      } catch (error) {
        if (ctx.signal.aborted) return;
        console.error(DomainError.is(error) ? error.message : error);
        process.exitCode = 1;
      }
    });
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('A whole number from 1 up is needed.');
  return number;
}
