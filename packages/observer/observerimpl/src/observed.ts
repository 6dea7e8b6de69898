import type { Bus } from '@samovar/bus';
import { type Context, throwIfDone } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import type { Problem } from '@samovar/observer';
import { GetRepoQuery, InitRepoCommand, type Repo, ScanRepoCommand, type Uuid } from '@samovar/repos';
import type { Found } from './find.ts';

/** A repository that is being observed. */
export class ObservedRepo {
  readonly path: string;
  readonly #bus: Bus;
  readonly #registration: InitRepoCommand;
  #repoId: Uuid | undefined;
  #fault: DomainError | undefined;

  constructor(bus: Bus, { path, name }: Found, registry: string) {
    this.path = path;
    this.#bus = bus;
    this.#registration = { registry, name, path };
  }

  /** Why it could not be recorded when that was tried last. */
  get fault(): DomainError | undefined {
    return this.#fault;
  }

  get problem(): Problem | undefined {
    return this.#fault && problemOf(this.path, this.#fault);
  }

  /** Registers it, if that has not succeeded yet, and records what is new. Only the end of `ctx` is thrown. */
  async record(ctx: Context): Promise<void> {
    try {
      this.#repoId ??= (await this.#bus.dispatch(ctx, InitRepoCommand, this.#registration)).repoId;
      await this.#bus.dispatch(ctx, ScanRepoCommand, { repoId: this.#repoId });
      this.#fault = undefined;
    } catch (error) {
      throwIfDone(ctx);
      this.#fault = DomainError.from(error);
    }
  }

  /** As it is recorded; undefined while there is a problem. */
  async view(ctx: Context): Promise<Repo | undefined> {
    if (this.#repoId === undefined || this.#fault !== undefined) return undefined;
    return await this.#bus.dispatch(ctx, GetRepoQuery, { repoId: this.#repoId });
  }
}

export function problemOf(path: string, { id, publicMessage }: DomainError): Problem {
  return { path, error: id, message: publicMessage };
}
