import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crash } from './crash.ts';

const usage = `pnpm crash [--rounds <n>] [--events <url>]

Lets publishers and subscribers work on one log, kills some of them with SIGKILL in each round, and checks at last that
nothing acknowledged is lost, stored twice, out of order or was not handled. For the night.

  --rounds <n>    default: 200
  --events <url>  default: a SQLite file in a temporary folder
  --help`;

const given = process.argv.slice(2);
const { values } = parseArgs({
  // pnpm passes a leading `--` on.
  args: given[0] === '--' ? given.slice(1) : given,
  options: {
    rounds: { type: 'string', default: '200' },
    events: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);

if (values.help) {
  console.log(usage);
} else if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(usage);
  process.exitCode = 2;
} else {
  const folder = mkdtempSync(join(tmpdir(), 'samovar-crash-'));
  try {
    const url = values.events ?? `sqlite:${join(folder, 'events.db')}`;
    const onRound = (round: number, killed: readonly string[]) =>
      console.log(`round ${round} of ${rounds}: killed ${killed.join(', ')}`);
    const { published, repeated } = await crash({ url, rounds, onRound });
    console.log(`${rounds} rounds survived: ${published} events published, all handled, ${repeated} more than once`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
