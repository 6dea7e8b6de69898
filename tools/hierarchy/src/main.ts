import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compareWith, type KnownBreach, readBaseline, shrink } from './baseline.ts';
import { domainGraph } from './graph.ts';
import { check, format, rules } from './hierarchy.ts';
import { withDomainTable } from './readme.ts';
import { readWorkspace } from './workspace.ts';

const help = `Usage: pnpm hierarchy [<option>] [<workspace>]

Checks the package hierarchy of the workspace (default: this one). Prints each breach with its file, line, rule and
mend, and exits with 1 if there is one.

Options:
  --graph            print the domains with their packages, messages, events and streams as a Mermaid flowchart
  --readme           write the table of domains into README.md, between <!-- domains --> and <!-- /domains -->
  --update-baseline  take entries out of the baseline that nothing breaks any longer; none is ever added
  -h, --help         print this

Known breaches stand in .hierarchy-baseline.json, a list of { path, rule, message, why }: they are not reported. An entry
that nothing breaks any longer is stale, and fails the check.

Rules:
${rules.map(({ name, says }) => `  ${name.padEnd(23)}${says}`).join('\n')}
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h' },
    graph: { type: 'boolean' },
    readme: { type: 'boolean' },
    'update-baseline': { type: 'boolean' },
  },
});
const root = resolve(positionals[0] ?? `${import.meta.dirname}/../../..`);
const baselineFile = join(root, '.hierarchy-baseline.json');

try {
  if (values.help) process.stdout.write(help);
  else if (values.graph) console.log(domainGraph(readWorkspace(root)));
  else if (values.readme) writeReadme();
  else checkHierarchy(values['update-baseline'] ?? false);
} catch (error) {
  console.error(`hierarchy: ${(error as Error).message}`);
  process.exitCode = 1;
}

function writeReadme(): void {
  const file = join(root, 'README.md');
  const readme = existsSync(file) ? readFileSync(file, 'utf8') : '';
  writeFileSync(file, withDomainTable(readme, readWorkspace(root)));
}

function checkHierarchy(updateBaseline: boolean): void {
  const workspace = readWorkspace(root);
  const baseline = readBaseline(baselineFile);
  const comparison = compareWith(baseline, check(workspace));
  const { fresh } = comparison;
  const stale = updateBaseline ? [] : comparison.stale;
  if (updateBaseline && comparison.stale.length > 0) writeBaseline(shrink(baseline, comparison));
  for (const breach of fresh) console.log(format(breach));
  for (const { path, rule, message } of stale) {
    console.log(`.hierarchy-baseline.json  stale: nothing breaks ${rule} in ${path} like this any longer: ${message}`);
    console.log('    mend: run pnpm hierarchy --update-baseline');
  }
  const files = workspace.packages.flatMap((pkg) => pkg.files).length;
  const known = baseline.length - comparison.stale.length;
  const counts = `packages: ${workspace.packages.length}, files: ${files}, breaches: ${fresh.length}`;
  console.log(`${counts}, known: ${known}, stale: ${stale.length}`);
  process.exitCode = fresh.length + stale.length > 0 ? 1 : 0;
}

function writeBaseline(entries: readonly KnownBreach[]): void {
  writeFileSync(baselineFile, `${JSON.stringify(entries, null, 2)}\n`);
}
