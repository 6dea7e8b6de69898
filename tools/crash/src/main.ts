import { parseArgs } from 'node:util';
import { crash } from './crash.ts';
import { given, type Log, logs } from './logs.ts';

const usage = `pnpm crash [--events <log>] [--rounds <n>]

Lets publishers and subscribers work on one log, kills some of them with SIGKILL in each round, and one of the log's
servers at most, and checks at last that nothing acknowledged is lost, stored twice, out of order or was not handled.
For the night.

  --events <log>  sqlite: a file in a temporary folder
                  nats: a server of its own, which is killed too
                  nats-cluster: a cluster of three servers of its own, which are killed one at a time
                  <url>: what is there; its servers are left alone
                  default: sqlite, nats and nats-cluster, one after another
  --rounds <n>    default: 200, on nats-cluster 50
  --help

All of the conformance suite on a cluster of three, for the night too:
  NIGHTLY=1 pnpm --filter @samovar/edanats test src/conformance.int.test.ts`;

const args = process.argv.slice(2);
const { values } = parseArgs({
  // pnpm passes a leading `--` on.
  args: args[0] === '--' ? args.slice(1) : args,
  options: {
    events: { type: 'string' },
    rounds: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const { events, help } = values;
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);

async function run(name: string, open: () => Promise<Log>): Promise<void> {
  await using log = await open();
  const all = rounds ?? (log.servers.size > 1 ? 50 : 200);
  const onRound = (round: number, killed: readonly string[]) =>
    console.log(`${name}, round ${round} of ${all}: killed ${killed.join(', ')}`);
  const { published, repeated } = await crash({ log, rounds: all, onRound });
  console.log(
    `${name}: ${all} rounds survived, ${published} events published, all handled, ${repeated} more than once`,
  );
}

if (help) {
  console.log(usage);
} else if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
  console.error(usage);
  process.exitCode = 2;
} else if (events === undefined) {
  for (const [name, open] of logs) await run(name, open);
} else {
  await run(events, logs.get(events) ?? (async () => given(events)));
}
