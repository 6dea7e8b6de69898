import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { benchmarks, longBenchmarks } from './benchmarks.ts';

const all = { ...benchmarks, ...longBenchmarks };

const usage = `pnpm bench [--rounds <n>] [--peers <folder>] [<name>...]

Runs the benchmarks named, or all but ${Object.keys(longBenchmarks).join(', ')}, and prints Markdown tables. In each round all contenders take turns.

${Object.entries(all)
  .map(([name, { about }]) => `  ${name.padEnd(11)}${about}`)
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
    console.log(
      `\n## ${name}: ${benchmark?.about}\n\n${await benchmark?.run({ rounds, share: 1, peers: values.peers })}`,
    );
  }
}
