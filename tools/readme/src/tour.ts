import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A fenced block of the README. */
export interface Block {
  readonly language: string;
  /** The file that its first line names, as `// packages/…`. */
  readonly path: string | undefined;
  readonly text: string;
}

export function blocks(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
    language,
    path: /^\/\/ (\S+\.ts)\n/.exec(text)?.[1],
    text,
  }));
}

export const readme = (): string => readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');

/**
 * Writes the TypeScript files that the README shows into `folder`, as packages that find each other: what a reader has
 * who types them off.
 */
export function writeTour(folder: string, files: readonly Block[]): void {
  for (const { path, text } of files) {
    if (path === undefined) continue;
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (path.startsWith('packages/')) link(folder, dirname(dirname(file)), basename(file, '.ts'));
  }
  writeFileSync(join(folder, 'tsconfig.json'), '{ "extends": "@samovar/tsconfig/base.json", "include": ["."] }\n');
}

function link(folder: string, home: string, entry: string): void {
  const name = basename(home);
  const exported = { service: undefined, module: '.', fake: '.', contract: './contract', [name]: '.' }[entry];
  const manifest = join(home, 'package.json');
  const exports = { ...readExports(manifest), ...(exported && { [exported]: `./src/${entry}.ts` }) };
  writeFileSync(manifest, JSON.stringify({ name: `@samovar/${name}`, type: 'module', exports }));
  const scope = join(folder, 'node_modules/@samovar');
  mkdirSync(scope, { recursive: true });
  try {
    symlinkSync(home, join(scope, name), 'dir');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function readExports(manifest: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(manifest, 'utf8')).exports;
  } catch {
    return {};
  }
}
