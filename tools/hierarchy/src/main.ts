import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { check, format, rules } from './hierarchy.ts';
import { readWorkspace } from './workspace.ts';

const help = `Usage: pnpm hierarchy [<workspace>]

Checks the package hierarchy of the workspace (default: this one). Prints each breach with its file, line, rule and
mend, and exits with 1 if there is one.

Rules:
${rules.map(({ name, says }) => `  ${name.padEnd(18)}${says}`).join('\n')}
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  process.stdout.write(help);
} else {
  const workspace = readWorkspace(resolve(positionals[0] ?? `${import.meta.dirname}/../../..`));
  const breaches = check(workspace);
  for (const breach of breaches) console.log(format(breach));
  const files = workspace.packages.flatMap((pkg) => pkg.files);
  console.log(`packages: ${workspace.packages.length}, files: ${files.length}, breaches: ${breaches.length}`);
  process.exitCode = breaches.length > 0 ? 1 : 0;
}
