import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type ExportedClass, parseClasses, parseReturns } from './classes.ts';
import { type Definition, parseDefinitions } from './definitions.ts';
import { type Import, parseImports } from './imports.ts';
import { type Package, readPackages } from './packages.ts';
import { parseTree, type Tree } from './tree.ts';

/** An import, and the package of the workspace it leads to, if any, be it by name or by a path. */
export interface ResolvedImport extends Import {
  readonly target: SourcePackage | undefined;
}

export interface SourceFile {
  /** Relative to the workspace, with slashes. */
  readonly path: string;
  /** Whether it holds tests, `*.test.ts`, or what a package's tests share, `testing.ts` beside src. */
  readonly isTest: boolean;
  readonly imports: readonly ResolvedImport[];
  readonly classes: readonly ExportedClass[];
  /** The types that its exported functions are declared to return. */
  readonly returned: ReadonlySet<string>;
  readonly definitions: readonly Definition[];
  readonly tree: Tree;
}

export interface SourcePackage extends Package {
  /** The package.json as it is written. */
  readonly manifestText: string;
  readonly files: readonly SourceFile[];
}

/** What the rules look at. */
export interface Workspace {
  readonly packages: readonly SourcePackage[];
  /** The text of README.md, if there is one. */
  readonly readme: string | undefined;
}

/** Reads and parses the workspace at `root`. @throws {Error} as {@link readPackages} does. */
export function readWorkspace(root: string): Workspace {
  const packages = readPackages(root).map((pkg) => ({
    ...pkg,
    manifestText: readFileSync(join(root, pkg.folder, 'package.json'), 'utf8'),
    files: [] as SourceFile[],
  }));
  const byName = new Map(packages.map((pkg) => [pkg.name, pkg]));
  const byFolder = new Map(packages.map((pkg) => [pkg.folder, pkg]));
  const targetOf = (path: string, specifier: string) =>
    specifier.startsWith('.')
      ? ancestor(posix.join(posix.dirname(path), specifier), byFolder)
      : byName.get(packageName(specifier));
  for (const pkg of packages) {
    for (const path of sourcePaths(root, pkg)) {
      const tree = parseTree(path, readFileSync(join(root, path), 'utf8'));
      const imports = parseImports(tree).map((found) => ({ ...found, target: targetOf(path, found.specifier) }));
      pkg.files.push({
        path,
        isTest: isTest(pkg, path),
        imports,
        classes: parseClasses(tree),
        returned: parseReturns(tree),
        definitions: parseDefinitions(tree, imports),
        tree,
      });
    }
  }
  const readme = join(root, 'README.md');
  return { packages, readme: existsSync(readme) ? readFileSync(readme, 'utf8') : undefined };
}

/** `@samovar/edatest` of `@samovar/edatest/conformance`, `zod` of `zod/v4`. */
export function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function sourcePaths(root: string, { folder }: Package): string[] {
  const found = globSync(['*.{ts,tsx}', 'src/**/*.{ts,tsx}'], { cwd: join(root, folder) });
  return found.map((path) => posix.join(folder, path.replaceAll('\\', '/'))).sort();
}

function isTest({ folder }: Package, path: string): boolean {
  return /\.test\.tsx?$/.test(path) || path === `${folder}/testing.ts`;
}

function ancestor(path: string, byFolder: ReadonlyMap<string, SourcePackage>): SourcePackage | undefined {
  for (let folder = path; folder !== '.' && folder !== '/'; folder = posix.dirname(folder)) {
    const found = byFolder.get(folder);
    if (found !== undefined) return found;
  }
  return undefined;
}
