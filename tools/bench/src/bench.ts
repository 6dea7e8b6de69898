import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { burst } from './burst.ts';
import { catchup } from './catchup.ts';
import { dispatch } from './dispatch.ts';
import { emmett } from './emmett.ts';
import { history } from './history.ts';
import { latency } from './latency.ts';
import { publish } from './publish.ts';
import { scale } from './scale.ts';

interface Benchmark {
  readonly about: string;
  /** Its result as Markdown. */
  readonly run: (rounds: number, peers: string | undefined) => Promise<string>;
}

const benchmarks: Readonly<Record<string, Benchmark>> = {
  dispatch: { about: 'bus.dispatch against Map lookup + await and @nestjs/cqrs', run: dispatch },
  publish: { about: 'durable publishes, 1 to 100 in flight, against raw node:sqlite batches', run: publish },
  burst: { about: 'the same with 1,000 in flight, and the delay of the event loop', run: burst },
  emmett: { about: 'durable publishes against emmett-sqlite, which --peers finds', run: emmett },
  catchup: { about: 'a durable subscription through a whole log against raw paged reads', run: catchup },
  latency: { about: 'from publish to handler against one raw commit', run: latency },
  history: { about: 'recording a git history against a bare script', run: history },
};

/** Takes minutes, and is run only if named. */
const long = { scale: { about: '1,000 against 1,000,000 streams, and a log of 10,000,000 events', run: scale } };
const all: Readonly<Record<string, Benchmark>> = { ...benchmarks, ...long };

const usage = `pnpm bench [--rounds <n>] [--peers <folder>] [<name>...]

Runs the benchmarks named, or all but ${Object.keys(long).join(', ')}, and prints Markdown tables. In each round all contenders take turns.

${Object.entries(all)
  .map(([name, { about }]) => `  ${name.padEnd(10)}${about}`)
  .join('\n')}

  --rounds <n>      rounds that count (default: 5)
  --peers <folder>  where peers are installed that are no part of this workspace
  --help`;

const given = process.argv.slice(2);
const { values, positionals } = parseArgs({
  // pnpm passes a leading `--` on.
  args: given[0] === '--' ? given.slice(1) : given,
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    peers: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const unknown = positionals.filter((name) => !(name in all));

if (values.help) {
  console.log(usage);
} else if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  console.error(usage);
  process.exitCode = 2;
} else {
  await run(positionals.length > 0 ? positionals : Object.keys(benchmarks));
}

async function run(names: readonly string[]): Promise<void> {
  const [cpu] = cpus();
  console.log(
    `Node ${process.versions.node}, SQLite ${process.versions.sqlite}, ${cpus().length} × ${cpu?.model.trim()}`,
  );
  for (const name of names) {
    const benchmark = all[name];
    console.log(`\n## ${name}: ${benchmark?.about}\n\n${await benchmark?.run(rounds, values.peers)}`);
  }
}
