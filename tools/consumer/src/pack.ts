import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Package, readPackages } from '@samovar/hierarchy/packages';

const exec = promisify(execFile);

/** A package as it would be published. */
export interface Tarball {
  readonly pkg: Package;
  readonly version: string;
  /** Its absolute path. */
  readonly file: string;
  /** What it holds, such as `dist/errors.js`. */
  readonly paths: readonly string[];
  readonly content: Buffer;
}

/** The packages that are published, of the workspace at `root`. */
export function publicPackages(root: string): Package[] {
  return readPackages(root).filter(({ domain, manifest }) => domain !== undefined && manifest.private !== true);
}

/** Whether callers import it: a root or leaf. */
export function isRoot({ tags }: Package): boolean {
  return tags.includes('root') || tags.includes('leaf');
}

/** Packs the packages, which have been built, into `folder`, as `pnpm publish` would. */
export async function pack(root: string, packages: readonly Package[], folder: string): Promise<Tarball[]> {
  const filters = packages.flatMap(({ name }) => ['--filter', name]);
  const args = [...filters, 'pack', '--json', '--pack-destination', folder];
  const { stdout } = await exec('pnpm', args, { cwd: root, maxBuffer: 2 ** 26 });
  const packed = JSON.parse(stdout.slice(stdout.indexOf('['))) as readonly PackedJson[];
  return packages.map((pkg) => {
    const found = packed.find(({ name }) => name === pkg.name);
    if (found === undefined) throw new Error(`pnpm pack left out ${pkg.name}`);
    const file = join(folder, found.filename.slice(found.filename.lastIndexOf('/') + 1));
    const paths = found.files.map(({ path }) => path);
    return { pkg, version: found.version, file, paths, content: readFileSync(file) };
  });
}

interface PackedJson {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}
