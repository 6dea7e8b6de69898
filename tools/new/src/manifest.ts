import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from './refusal.ts';

type Group = 'dependencies' | 'peerDependencies' | 'devDependencies';

interface Manifest extends Partial<Record<Group, Readonly<Record<string, string>>>> {
  readonly name: string;
}

/**
 * The text of a package.json with these packages of the workspace in a group, sorted; undefined if it has them all.
 *
 * @throws {Refusal} if the group is missing, or the file is no JSON.
 */
export function withDependencies(
  root: string,
  path: string,
  group: Group,
  names: readonly string[],
): string | undefined {
  const text = readFileSync(join(root, path), 'utf8');
  const manifest = parse(path, text);
  const present = manifest[group];
  if (present === undefined) throw new Refusal(`${path} has no ${group} to add ${names.join(', ')} to: add one first`);
  const missing = names.filter((name) => present[name] === undefined);
  if (missing.length === 0) return undefined;
  const all = { ...present, ...Object.fromEntries(missing.map((name) => [name, 'workspace:^'])) };
  return `${JSON.stringify({ ...manifest, [group]: sorted(all) }, null, 2)}\n`;
}

export function sorted(record: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function parse(path: string, text: string): Manifest {
  try {
    return JSON.parse(text) as Manifest;
  } catch {
    throw new Refusal(`${path} is no JSON: mend it first`);
  }
}
