import { type Context, throwIfDone } from '@samovar/context';
import type { Logger } from '@samovar/eda';
import { DomainError } from '@samovar/errors';
import { ScanRepoCommand, type Uuid } from '@samovar/repos';
import pLimit, { type LimitFunction } from 'p-limit';
import { isError } from './errors.ts';
import type { Dispatcher } from './tools.ts';

/** Which repository, and where it is on the server. */
export interface Place {
  readonly repoId: Uuid;
  readonly path: string;
}

export interface ScanOptions {
  /** Whether a change from good to bad, or back, is logged. Default: true. */
  readonly isTold?: boolean;
}

/** Has repositories scanned, and knows which of them could not be recorded when that was tried last. */
export class Scans {
  readonly #bus: Dispatcher;
  readonly #logger: Logger;
  readonly #faults = new Map<Uuid, DomainError>();
  readonly #turns = new Map<Uuid, LimitFunction>();

  constructor(bus: Dispatcher, logger: Logger) {
    this.#bus = bus;
    this.#logger = logger;
  }

  /** Why the repository could not be recorded; undefined: it could, or that was not tried yet. */
  faultOf(repoId: Uuid): DomainError | undefined {
    return this.#faults.get(repoId);
  }

  /**
   * Records what is new, one scan of a repository at a time; of an archived one nothing is new. A fault is told once, and
   * once that it is gone. Answers whether one is gone now.
   *
   * @throws why `ctx` is done, and nothing else.
   */
  async scan(ctx: Context, { repoId, path }: Place, { isTold = true }: ScanOptions = {}): Promise<boolean> {
    const turn = this.#turns.get(repoId) ?? pLimit(1);
    this.#turns.set(repoId, turn);
    const fault = await turn(() => this.#attempt(ctx, repoId));
    const before = this.#faults.get(repoId);
    if (fault === undefined) this.#faults.delete(repoId);
    else this.#faults.set(repoId, fault);
    const isRecovered = fault === undefined && before !== undefined;
    if (isTold && isRecovered) this.#logger.info('a repository can be recorded again', { path });
    if (isTold && fault !== undefined && !isSame(before, fault)) {
      this.#logger.warn('a repository cannot be recorded', { path, error: fault.id, err: fault });
    }
    return isRecovered;
  }

  async #attempt(ctx: Context, repoId: Uuid): Promise<DomainError | undefined> {
    try {
      await this.#bus.dispatch(ctx, ScanRepoCommand, { repoId });
      return undefined;
    } catch (error) {
      throwIfDone(ctx);
      return isError(error, 'repos.archived') ? undefined : DomainError.from(error);
    }
  }
}

function isSame(a: DomainError | undefined, b: DomainError): boolean {
  return a?.id === b.id && a.publicMessage === b.publicMessage;
}
