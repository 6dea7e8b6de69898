import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { type Context, throwIfDone } from '@samovar/context';
import { NoRepositoryError, NotAFolderError } from '@samovar/observer';
import { readGitDirs } from './gitdirs.ts';

/** A repository in a folder. */
export interface Found {
  readonly path: string;
  /** Its path from the folder, or the last part of it where they are the same. */
  readonly name: string;
}

export interface Findings {
  /** In the order of the folders, then of paths. Work trees of one repository count once. */
  readonly repositories: readonly Found[];
  /** Folders that could not be read. */
  readonly unreadable: readonly string[];
}

/**
 * Finds the repositories in folders and below, nested ones too. Links are not followed. A folder without any that lies
 * in a work tree stands for that.
 *
 * @throws {NotAFolderError} @throws {NoRepositoryError}
 */
export async function findRepositories(ctx: Context, folders: readonly string[]): Promise<Findings> {
  const found: Found[] = [];
  const unreadable: string[] = [];
  for (const given of folders) {
    const folder = await realFolder(given);
    const below = await search(ctx, folder);
    const paths = below.repositories.length > 0 ? below.repositories : await around(folder);
    if (paths.length === 0) throw new NoRepositoryError(given);
    found.push(...paths.map((path) => ({ path, name: nameOf(folder, path) })));
    unreadable.push(...below.unreadable);
  }
  return { repositories: await onePerRepository(found), unreadable: [...new Set(unreadable)] };
}

async function realFolder(path: string): Promise<string> {
  if (!isAbsolute(path)) throw new NotAFolderError(path);
  try {
    const real = await realpath(path);
    await readdir(real);
    return real;
  } catch (cause) {
    throw new NotAFolderError(path, { cause });
  }
}

const readAtOnce = 32;

async function search(ctx: Context, folder: string): Promise<{ repositories: string[]; unreadable: string[] }> {
  const repositories: string[] = [];
  const unreadable: string[] = [];
  const waiting = [folder];
  while (waiting.length > 0) {
    throwIfDone(ctx);
    const some = waiting.splice(-readAtOnce);
    const listings = await Promise.all(some.map((path) => list(path)));
    for (const [i, path] of some.entries()) {
      const entries = listings[i];
      if (entries === undefined) {
        unreadable.push(path);
        continue;
      }
      const bare = isBare(entries);
      if (bare || entries.some(({ name }) => name === '.git')) repositories.push(path);
      if (!bare) waiting.push(...foldersIn(entries).map((name) => join(path, name)));
    }
  }
  return { repositories: repositories.sort(), unreadable: unreadable.sort() };
}

/** undefined: it cannot be read. */
async function list(path: string): Promise<Dirent[] | undefined> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    // Removed meanwhile.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? [] : undefined;
  }
}

function isBare(entries: readonly Dirent[]): boolean {
  const folders = new Set(foldersIn(entries));
  return folders.has('objects') && folders.has('refs') && entries.some(({ name }) => name === 'HEAD');
}

function foldersIn(entries: readonly Dirent[]): string[] {
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== '.git' && entry.name !== 'node_modules')
    .map(({ name }) => name);
}

/** The top of the work tree that `folder` is in. */
async function around(folder: string): Promise<string[]> {
  const above = dirname(folder);
  if (above === folder) return [];
  const isTop = (await stat(join(above, '.git')).catch(() => undefined)) !== undefined;
  return isTop ? [above] : around(above);
}

const longestName = 255;

function nameOf(folder: string, path: string): string {
  const below = path.startsWith(folder) ? relative(folder, path) : '';
  const name = below === '' ? basename(path) || path : below.split(sep).join('/');
  return name.slice(-longestName).toWellFormed();
}

async function onePerRepository(found: readonly Found[]): Promise<Found[]> {
  const chosen = new Map<string, { readonly repository: Found; readonly linked: boolean }>();
  for (const repository of found) {
    // One that cannot be read is one of its own: registering it tells why.
    const dirs = await readGitDirs(repository.path).catch(() => undefined);
    const key = dirs?.common ?? repository.path;
    const linked = dirs !== undefined && dirs.own !== dirs.common;
    const before = chosen.get(key);
    if (before === undefined || (before.linked && !linked)) chosen.set(key, { repository, linked });
  }
  return [...chosen.values()].map(({ repository }) => repository);
}
