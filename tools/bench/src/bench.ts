import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { dispatch } from './dispatch.ts';
import { history } from './history.ts';
import { publish } from './publish.ts';

interface Benchmark {
  readonly about: string;
  /** Its result as Markdown. */
  readonly run: (rounds: number) => Promise<string>;
}

const benchmarks: Readonly<Record<string, Benchmark>> = {
  dispatch: { about: 'bus.dispatch against Map lookup + await and @nestjs/cqrs', run: dispatch },
  publish: { about: 'durable publishes, 1 to 1,000 in flight, against raw node:sqlite batches', run: publish },
  history: { about: 'recording a git history against a bare script', run: history },
};

const usage = `pnpm bench [--rounds <n>] [<name>...]

Runs the benchmarks named, or all, and prints Markdown tables. In each round all contenders take turns.

${Object.entries(benchmarks)
  .map(([name, { about }]) => `  ${name.padEnd(10)}${about}`)
  .join('\n')}

  --rounds <n>  rounds that count (default: 5)
  --help`;

const given = process.argv.slice(2);
const { values, positionals } = parseArgs({
  // pnpm passes a leading `--` on.
  args: given[0] === '--' ? given.slice(1) : given,
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, help: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
const unknown = positionals.filter((name) => !(name in benchmarks));

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
    const benchmark = benchmarks[name];
    console.log(`\n## ${name}: ${benchmark?.about}\n\n${await benchmark?.run(rounds)}`);
  }
}
