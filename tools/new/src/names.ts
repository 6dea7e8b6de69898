import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Package } from '@samovar/hierarchy/packages';
import { command, event, type MessageKind, query } from '@samovar/message';
import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { Refusal } from './refusal.ts';
import { capitalized, singular } from './words.ts';

/** Domains of the kit, also those it has not got yet. */
const kit = new Set(
  `activity api bus console context db eda errors message observer outbox registry repos samovar server workflows`.split(
    /\s+/,
  ),
);

/** What the generated files call something else by. */
const used = new Set(
  `added adding args attempt background before bus committed conn connect container ctx current data db decide describe
  error event events expect fold found fresh handled handler handlers head id impl init initializer it item items log
  make made migrate migration migrations module name names newer node now open outcome outcomes pick place postgres row
  seen service store stream test vi winners z`.split(/\s+/),
);

const keywords = new Set(
  `abstract any arguments as async await boolean break case catch class const constructor continue declare default
  delete do else enum eval export extends false finally for from function get if implements import in infer instanceof
  interface is keyof let namespace never new null number object of package private protected public readonly require
  return satisfies set static string super switch symbol this throw true try type typeof undefined unique unknown using
  var void while with yield`.split(/\s+/),
);

/** Types that no value of `globalThis` shows. */
const globalTypes = new Set('Awaited Exclude Extract Omit Partial Pick Readonly Record Required Uppercase'.split(' '));

/** What npm and file systems keep for themselves. */
const elsewhere = new Set('con prn aux nul favicon npm pnpm nodejs'.split(' '));

/** @throws {Refusal} if `name` cannot become a service of the workspace at `root`, whose packages these are. */
export function checkServiceName(name: string, packages: readonly Package[], root: string): void {
  if (!/^[a-z][a-z0-9]{0,29}$/.test(name)) {
    throw new Refusal(`'${name}' is no name for a service: 1 to 30 lower-case letters and digits, a letter first`);
  }
  const suffix = /.(impl|test)$/.exec(name)?.[1];
  if (suffix !== undefined) {
    throw new Refusal(`'${name}' ends in '${suffix}', which the service's packages end in: leave it away`);
  }
  const taken = [name, `${name}impl`, `${name}test`].find((each) => packages.some((pkg) => pkg.shortName === each));
  if (taken !== undefined) {
    const { folder } = packages.find((pkg) => pkg.shortName === taken) as Package;
    throw new Refusal(`'${name}' is taken: there is a package ${taken} in ${folder}; choose another name`);
  }
  const folder = `packages/${name}`;
  if (existsSync(join(root, folder))) {
    throw new Refusal(`${folder} is in the way: move it away, or choose another name`);
  }
  for (const word of new Set([name, singular(name)])) {
    const why = reservation(word);
    if (why !== undefined) throw new Refusal(`'${word}' is reserved ${why}: choose another name`);
  }
}

function reservation(name: string): string | undefined {
  const className = capitalized(name);
  if (kit.has(name)) return 'for a domain of Samovar';
  if (keywords.has(name)) return 'by the language';
  if (used.has(name)) return 'for what generated files call something else by';
  if (className in globalThis || globalTypes.has(className)) return `by the language, which has a ${className}`;
  return elsewhere.has(name) ? 'by npm or a file system' : undefined;
}

/** @throws {Refusal} if a message cannot be called `<domain>.<exported>`. */
export function checkMessageName(kind: MessageKind, domain: string, exported: string): void {
  const name = `${domain}.${exported}`;
  const struct = z.object({});
  try {
    if (kind === 'command') command(name, struct);
    if (kind === 'query') query(name, struct, z.unknown());
    if (kind === 'event') event(name, struct);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Refusal(`${error.message}; ${hints[kind]}`);
  }
}

const hints: Readonly<Record<MessageKind, string>> = {
  command: 'say what to do, such as BrewTea',
  query: 'say what is asked, such as CountCups',
  event: 'say what has happened, such as TeaBrewed',
};

/** What there is instead of `name`, the one it is most like first; to be put behind a sentence. */
export function suggestion(name: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const likely = closest(name, known);
  const guess = distance(name, likely) <= 2 ? `did you mean ${likely}? There are` : 'there are';
  return `; ${guess}: ${[...known].sort().join(', ')}`;
}
