import { readFileSync } from 'node:fs';
import { createRequire, findPackageJSON } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { AnyCall, AnyEvent } from '@samovar/bus';
import type { Newable } from 'inversify';

/** What the root packages say that the modules of this samovar build on. */
export interface Roots {
  readonly messages: readonly (AnyCall | AnyEvent)[];
  /** Every class that they export, by its name: contracts are among them. */
  readonly classes: ReadonlyMap<string, Newable>;
}

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/**
 * The roots of this package and of every package it is put together from, by their package.json: those are what a
 * module shares with its callers, and so its peers.
 */
export async function loadRoots(): Promise<Roots> {
  const own = new URL('../package.json', import.meta.url);
  const { dependencies = {} } = readManifest(own);
  const roots = new Map<string, string>();
  for (const name of Object.keys(dependencies).filter(isOurs)) {
    const manifest = findPackageJSON(name, own);
    if (manifest === undefined) continue;
    const { resolve } = createRequire(manifest);
    for (const root of Object.keys(readManifest(manifest).peerDependencies ?? {}).filter(isOurs)) {
      roots.set(root, resolve(root));
    }
  }
  const loaded = await Promise.all([...roots.values()].map((path) => import(pathToFileURL(path).href)));
  const exported = loaded.flatMap((root: object) => Object.entries(root));
  return {
    messages: [...new Set(exported.map(([, value]) => value).filter(isMessage))].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
    classes: new Map(exported.filter((entry): entry is [string, Newable] => typeof entry[1] === 'function')),
  };
}

function isOurs(name: string): boolean {
  return name.startsWith('@samovar/');
}

function readManifest(path: string | URL): Manifest {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function isMessage(value: unknown): value is AnyCall | AnyEvent {
  return typeof value === 'object' && value !== null && 'kind' in value && 'name' in value && 'parse' in value;
}
