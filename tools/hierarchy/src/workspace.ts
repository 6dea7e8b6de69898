import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Import, parseImports } from './imports.ts';
import { type Package, readPackages } from './packages.ts';

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
  readonly fault: { readonly message: string; readonly line: number } | undefined;
}

export interface SourcePackage extends Package {
  readonly files: readonly SourceFile[];
}

/** What the rules look at. */
export interface Workspace {
  readonly packages: readonly SourcePackage[];
}

/** Reads and parses the workspace at `root`. @throws {Error} as {@link readPackages} does. */
export function readWorkspace(root: string): Workspace {
  const packages = readPackages(root).map((pkg) => ({ ...pkg, files: [] as SourceFile[] }));
  const byName = new Map(packages.map((pkg) => [pkg.name, pkg]));
  const byFolder = new Map(packages.map((pkg) => [pkg.folder, pkg]));
  const targetOf = (path: string, specifier: string) =>
    specifier.startsWith('.')
      ? ancestor(posix.join(posix.dirname(path), specifier), byFolder)
      : byName.get(packageName(specifier));
  for (const pkg of packages) {
    for (const path of sourcePaths(root, pkg)) {
      const { imports, fault } = parseImports(path, readFileSync(join(root, path), 'utf8'));
      const resolved = imports.map((found) => ({ ...found, target: targetOf(path, found.specifier) }));
      pkg.files.push({ path, isTest: isTest(pkg, path), imports: resolved, fault });
    }
  }
  return { packages };
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
