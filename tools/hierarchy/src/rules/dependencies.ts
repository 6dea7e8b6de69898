import { isKind, type Rule } from '../rule.ts';
import type { SourcePackage, Workspace } from '../workspace.ts';

type Group = 'dependencies' | 'peerDependencies' | 'devDependencies';

/** The names of the packages of the workspace that `pkg` imports by name, and the first place of each. */
function importedNames(pkg: SourcePackage, forTests: boolean) {
  const places = new Map<string, { readonly path: string; readonly line: number }>();
  for (const file of pkg.files) {
    if (isForTests(pkg, file) !== forTests) continue;
    for (const { target, specifier, line } of file.imports) {
      if (target === undefined || target === pkg || specifier.startsWith('.')) continue;
      if (!places.has(target.name)) places.set(target.name, { path: file.path, line });
    }
  }
  return places;
}

/** Besides tests, what only runs where the package is developed: configurations and tools. */
function isForTests(pkg: SourcePackage, { path, isTest }: SourcePackage['files'][number]): boolean {
  return isTest || pkg.domain === undefined || path.endsWith('.config.ts');
}

const has = (pkg: SourcePackage, group: Group, name: string) => Object.hasOwn(pkg.manifest[group] ?? {}, name);

export const undeclaredDependency: Rule = {
  name: 'undeclared-dependency',
  says: 'What is imported from the workspace is declared: (peer) dependencies, or devDependencies where only tests need it.',
  *check({ packages }) {
    for (const pkg of packages) {
      for (const [name, place] of importedNames(pkg, false)) {
        if (has(pkg, 'dependencies', name) || has(pkg, 'peerDependencies', name)) continue;
        const message = `${pkg.name} does not declare ${name}, which it imports`;
        const group = isKind(pkg, 'impl', 'test') ? 'peerDependencies' : 'dependencies';
        yield { ...place, message, mend: `add "${name}": "workspace:^" to its ${group}, or do without the import` };
      }
      for (const [name, place] of importedNames(pkg, true)) {
        const groups = ['dependencies', 'peerDependencies', 'devDependencies'] as const;
        if (groups.some((group) => has(pkg, group, name))) continue;
        if (importedNames(pkg, false).has(name)) continue;
        const message = `${pkg.name} does not declare ${name}, which its tests import`;
        yield { ...place, message, mend: `add "${name}": "workspace:^" to its devDependencies` };
      }
    }
  },
};

export const unusedDependency: Rule = {
  name: 'unused-dependency',
  says: 'What packages/* declare from the workspace is imported: (peer) dependencies outside of tests too.',
  *check(workspace) {
    const names = new Set(workspace.packages.map(({ name }) => name));
    // Tools run more than they import.
    for (const pkg of workspace.packages.filter(({ domain }) => domain !== undefined)) {
      for (const [group, name] of declared(pkg, names)) {
        if (isUsed(pkg, group, name, workspace)) continue;
        const inTests = group !== 'devDependencies' && importedNames(pkg, true).has(name);
        yield {
          path: `${pkg.folder}/package.json`,
          line: lineOf(pkg, group, name),
          message: `${pkg.name} has ${name} in its ${group}, and ${inTests ? 'imports it in tests only' : 'imports it nowhere'}`,
          mend: inTests ? 'move it to devDependencies' : 'remove it',
        };
      }
    }
  },
};

function* declared(pkg: SourcePackage, names: ReadonlySet<string>): Iterable<readonly [Group, string]> {
  for (const group of ['dependencies', 'peerDependencies', 'devDependencies'] as const) {
    for (const name of Object.keys(pkg.manifest[group] ?? {})) if (names.has(name)) yield [group, name];
  }
}

function isUsed(pkg: SourcePackage, group: Group, name: string, { packages }: Workspace): boolean {
  if (importedNames(pkg, false).has(name) || isPeerOfOthers(pkg, group, name, packages)) return true;
  // Nobody installs the end-to-end tests.
  if (group !== 'devDependencies') return pkg.tags.includes('e2e') && importedNames(pkg, true).has(name);
  // A tool such as the shared tsconfig is extended rather than imported; a peer is installed for development.
  const isTool = packages.some((other) => other.name === name && other.domain === undefined);
  return isTool || has(pkg, 'peerDependencies', name) || importedNames(pkg, true).has(name);
}

/** Whoever depends on a package installs its peers too. */
function isPeerOfOthers(pkg: SourcePackage, group: Group, name: string, all: readonly SourcePackage[]): boolean {
  if (group === 'peerDependencies') return false;
  return all.some((other) => has(pkg, group, other.name) && has(other, 'peerDependencies', name));
}

function lineOf({ manifestText }: SourcePackage, group: Group, name: string): number {
  const start = manifestText.indexOf(`"${name}"`, Math.max(0, manifestText.indexOf(`"${group}"`)));
  return manifestText.slice(0, start).split('\n').length;
}
