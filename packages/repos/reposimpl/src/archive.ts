import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { type Context, throwIfDone } from '@samovar/context';
import {
  ArchiveFailedError,
  type Bundle,
  NotARepositoryError,
  type Repo,
  RepoUnreadableError,
  type Uuid,
} from '@samovar/repos';
import type { Git, Place } from './git.ts';
import { GitFailedError } from './process.ts';

type Bundled = Pick<Repo, 'repoId' | 'registry' | 'name' | 'path'>;
type Measure = Pick<Bundle, 'bytes' | 'sha256'>;

const draftSuffix = '.tmp';
const longestName = 80;

/**
 * Bundles in a folder, one for each repository and workflow, with their checksums beside them. What is on its way to
 * become one has a name that ends in `.tmp`; who makes or discards that bundle next removes what an interruption left.
 * So nobody else may be at work on the same bundle meanwhile: callers see to that.
 */
export class Archive {
  readonly #folder: string;
  readonly #git: Git;

  /** `folder` is absolute. It is made when it is needed, and then nobody else may look into it. */
  constructor(folder: string, git: Git) {
    if (!isAbsolute(folder)) throw new TypeError(`the archive folder ${folder} is no absolute path`);
    this.#folder = folder;
    this.#git = git;
  }

  /**
   * The bundle of this workflow: the one that there is, if its checksum says that it is whole.
   *
   * @throws as {@link Repos.bundleRepo} does.
   */
  async bundle(ctx: Context, repo: Bundled, workflowId: Uuid): Promise<Bundle> {
    const path = this.#pathOf(repo, workflowId);
    return await explained(path, async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await mkdir(dirname(path), { recursive: true });
      await removeDrafts(path);
      return (await readBundle(ctx, path)) ?? (await this.#make(ctx, repo, path));
    });
  }

  /** Removes all there is of the bundle of this workflow. @throws {ArchiveFailedError} */
  async discard(repo: Bundled, workflowId: Uuid): Promise<void> {
    const path = this.#pathOf(repo, workflowId);
    await explained(path, async () => {
      if ((await found(readdir(dirname(path)))) === undefined) return;
      await rm(path, { force: true });
      await rm(checksumOf(path), { force: true });
      await removeDrafts(path);
      await syncFolder(dirname(path));
    });
  }

  #pathOf({ registry, name, repoId }: Bundled, workflowId: Uuid): string {
    return join(this.#folder, registry, `${safe(name)}-${repoId}-${workflowId}.bundle`);
  }

  async #make(ctx: Context, repo: Bundled, path: string): Promise<Bundle> {
    const place = await this.#locate(ctx, repo, path);
    const draft = `${path}.${randomUUID()}`;
    const [bundleDraft, checksumDraft] = [`${draft}${draftSuffix}`, `${draft}.sha256${draftSuffix}`];
    try {
      const written = await this.#write(ctx, repo, place, bundleDraft);
      await this.#verify(ctx, place, path, bundleDraft);
      await writeFile(checksumDraft, checksumLine(path, written.sha256), { flush: true });
      // In this order, whenever the power fails: a bundle that is there has its checksum.
      await rename(checksumDraft, checksumOf(path));
      await syncFolder(dirname(path));
      await rename(bundleDraft, path);
      await syncFolder(dirname(path));
      await syncFolder(this.#folder);
      return { path, ...written };
    } catch (error) {
      await removeDrafts(path).catch(() => {});
      throw error;
    }
  }

  async #locate(ctx: Context, repo: Bundled, path: string): Promise<Place> {
    const place = await this.#git.locate(ctx, repo.path);
    if (place.boundary !== '') {
      const why = `${repo.path} is a shallow clone, so it lacks history: run git fetch --unshallow there, then try again`;
      throw new ArchiveFailedError(path, why);
    }
    const tips = await readable(repo, () => this.#git.tips(ctx, place.path));
    if (tips.size === 0) throw new NotARepositoryError(repo.path, 'it has no commits that could be archived');
    return place;
  }

  async #write(ctx: Context, repo: Bundled, place: Place, draft: string): Promise<Measure> {
    await using file = await open(draft, 'wx');
    const chunks = this.#git.bundle(ctx, place.path);
    const written = await readable(repo, () => measure(chunks, (chunk) => file.writeFile(chunk)));
    await file.sync();
    return written;
  }

  async #verify(ctx: Context, place: Place, path: string, draft: string): Promise<void> {
    try {
      await this.#git.verifyBundle(ctx, place.path, draft);
    } catch (error) {
      if (!(error instanceof GitFailedError)) throw error;
      const why = `what git made of ${place.path} is damaged (${error.words}): try git fsck there`;
      throw new ArchiveFailedError(path, why, { cause: error });
    }
  }
}

/** Whatever a repository is called: the ids behind tell bundles apart, this is for people. */
function safe(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._]+/g, '-').replace(/^[.-]+/, '');
  return plain.slice(0, longestName) || 'repo';
}

function checksumOf(path: string): string {
  return `${path}.sha256`;
}

/** As sha256sum writes it. */
function checksumLine(path: string, sha256: string): string {
  return `${sha256}  ${basename(path)}\n`;
}

/** undefined: there is none, or it is not what its checksum says. */
async function readBundle(ctx: Context, path: string): Promise<Bundle | undefined> {
  const noted = await found(readFile(checksumOf(path), 'utf8'));
  if (noted === undefined) return undefined;
  const measured = await found(measure(createReadStream(path), () => throwIfDone(ctx)));
  return measured && noted === checksumLine(path, measured.sha256) ? { path, ...measured } : undefined;
}

async function measure(chunks: AsyncIterable<Buffer>, take: (chunk: Buffer) => void | Promise<void>): Promise<Measure> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    await take(chunk);
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function removeDrafts(path: string): Promise<void> {
  const [folder, start] = [dirname(path), `${basename(path)}.`];
  for (const name of await readdir(folder)) {
    if (name.startsWith(start) && name.endsWith(draftSuffix)) await rm(join(folder, name), { force: true });
  }
}

/** Makes what a folder's files are called last. Windows knows no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using folder = await open(path, 'r');
  await folder.sync();
}

/** What git fails with while it reads a repository is the repository's fault. */
async function readable<T>(repo: Bundled, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (!(error instanceof GitFailedError)) throw error;
    throw new RepoUnreadableError(repo.path, error.words, { cause: error });
  }
}

/** What the file system refuses is the archive's fault. */
async function explained<T>(path: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new ArchiveFailedError(path, error.message, { cause: error });
  }
}

/** undefined: there is no such file. */
async function found<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isRefusal(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isRefusal(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
