import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '@samovar/context';
import type { DomainError } from '@samovar/errors';
import type { Logger } from '@samovar/server';
import type { LimitFunction } from 'p-limit';
import { type ChangeListener, Changes } from './changes.ts';
import type { ObservedRepo } from './observed.ts';

export interface FollowingOptions {
  /** Recordings run under it. */
  readonly work: Context;
  /** Shared by all, so that not too many record at once. */
  readonly limit: LimitFunction;
  readonly logger: Logger;
  /** Milliseconds. */
  readonly rescanEvery: number;
}

/** git makes several changes for one commit: they are recorded together. */
const settlingTime = 50;

/** Records a repository whenever it changes, one recording at a time, until it is closed. */
export class Following implements ChangeListener {
  readonly #repo: ObservedRepo;
  readonly #options: FollowingOptions;
  readonly #closed = new AbortController();
  readonly #rescans: NodeJS.Timeout;
  #changes: Promise<Changes | undefined>;
  #changed = false;
  #recording: Promise<void> | undefined;
  #watches = true;

  constructor(repo: ObservedRepo, options: FollowingOptions) {
    this.#repo = repo;
    this.#options = options;
    this.#rescans = setInterval(() => this.changed(), options.rescanEvery);
    this.#changes = this.#watch();
  }

  changed(): void {
    this.#changed = true;
    if (!this.#closed.signal.aborted) this.#recording ??= this.#record();
  }

  failed(error: unknown): void {
    if (this.#watches) {
      const { path } = this.#repo;
      this.#options.logger.warn('changes are not seen at once', {
        path,
        rescanEvery: this.#options.rescanEvery,
        err: error,
      });
    }
    this.#watches = false;
  }

  /** Takes in no more changes, and resolves when the recording that is running has settled. */
  async close(): Promise<void> {
    this.#closed.abort();
    clearInterval(this.#rescans);
    await (await this.#changes)?.[Symbol.asyncDispose]();
    await this.#recording;
  }

  /** Its end and what it leaves behind are one step: no change falls in between. */
  async #record(): Promise<void> {
    const { signal } = this.#closed;
    while (this.#changed && !signal.aborted) {
      await sleep(settlingTime, undefined, { signal }).catch(() => {});
      await this.#options.limit(() => this.#recordOnce());
    }
    this.#recording = undefined;
  }

  async #recordOnce(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#changed = false;
    const before = this.#repo.fault;
    try {
      await this.#repo.record(this.#options.work);
    } catch {
      // The server's drain time is over, or the context's work.
      return;
    }
    this.#compare(before, this.#repo.fault);
  }

  #compare(before: DomainError | undefined, now: DomainError | undefined): void {
    const { logger } = this.#options;
    const { path } = this.#repo;
    if (now !== undefined) {
      if (now.id === before?.id && now.publicMessage === before.publicMessage) return;
      logger.warn('a repository cannot be recorded', { path, error: now.id, err: now });
    } else if (before !== undefined) {
      logger.info('a repository can be recorded again', { path });
      // What was watched may be gone, even if there is something in its place.
      this.#changes = this.#changes.then(async (old) => {
        await old?.[Symbol.asyncDispose]();
        return this.#watch();
      });
    }
  }

  async #watch(): Promise<Changes | undefined> {
    try {
      return await Changes.watch(this.#repo.path, this);
    } catch {
      // There is no repository to watch: recording it tells why, and when there is one again.
      this.changed();
      return undefined;
    }
  }
}
