import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runSteps } from './runner.ts';
import { type Step, steps } from './steps.ts';

const help = `Usage: pnpm verify [<step>...]

Runs every check and test, or the steps named, one after another. Goes on after a failure, shows a failing step's output
in full, ends with the line "N passed, N failed", and exits with 1 if anything failed.

Steps:
${steps.map(({ name, says }) => `  ${name.padEnd(12)}${says}`).join('\n')}
`;

const root = resolve(import.meta.dirname, '../../..');

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const unknown = positionals.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(`no step ${unknown.join(', ')}: the steps are ${steps.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  return runInterruptibly(positionals.length === 0 ? steps : steps.filter(({ name }) => positionals.includes(name)));
}

/** The exit code. A signal stops the step that is running, and with it the run. */
async function runInterruptibly(chosen: readonly Step[]): Promise<number> {
  const controller = new AbortController();
  const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(name, () => controller.abort(codes[name]));
  const { failed } = await runSteps(chosen, { root, signal: controller.signal, out: process.stdout });
  if (controller.signal.aborted) return controller.signal.reason as number;
  return failed > 0 ? 1 : 0;
}

process.exitCode = await main();
