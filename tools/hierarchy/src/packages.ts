import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

type Dependencies = Readonly<Record<string, string>>;

/** The parts of a package.json that the tools read. */
export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly description?: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Dependencies;
  readonly peerDependencies?: Dependencies;
  readonly devDependencies?: Dependencies;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** A package of the workspace. */
export interface Package {
  readonly name: string;
  /** Relative to the workspace, with slashes: `packages/eda/edasqlite`. */
  readonly folder: string;
  /** The folder's own name, which is the npm name without its scope where the layout is kept. */
  readonly shortName: string;
  /** `eda`, for a package in packages/eda; undefined for a tool. */
  readonly domain: string | undefined;
  /** The tags in its turbo.json: one of leaf, root, impl, test, app, e2e and tool, where the layout is kept. */
  readonly tags: readonly string[];
  readonly manifest: Manifest;
}

/**
 * The packages of the workspace at `root`, in the order of their folders.
 *
 * @throws {Error} naming the file, if a package.json or turbo.json is no JSON.
 */
export function readPackages(root: string): Package[] {
  const files = globSync(['packages/*/*/package.json', 'tools/*/package.json'], { cwd: root });
  return files
    .map((file) => file.replaceAll('\\', '/').slice(0, -'/package.json'.length))
    .sort()
    .map((folder) => readPackage(root, folder));
}

function readPackage(root: string, folder: string): Package {
  const manifest = readJson(join(root, folder, 'package.json')) as Manifest;
  const turbo = join(root, folder, 'turbo.json');
  const { tags = [] } = existsSync(turbo) ? (readJson(turbo) as { tags?: readonly string[] }) : {};
  const [top, domain] = folder.split('/');
  return {
    name: manifest.name,
    folder,
    shortName: basename(folder),
    domain: top === 'packages' ? domain : undefined,
    tags,
    manifest,
  };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Error(`${file} is not valid JSON`, { cause });
  }
}
