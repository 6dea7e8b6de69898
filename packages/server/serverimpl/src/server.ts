import { background, type Context, whenDone, withCancel, withValue } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import {
  type BackgroundService,
  type Check,
  type Initializer,
  type Logger,
  type RunOptions,
  type Server,
  ServiceEndedError,
  ServiceStuckError,
  workContext,
} from '@samovar/server';
import { logFindings } from './checks.ts';
import type { ReadinessFlag } from './readiness.ts';
import { settledWithin } from './settled.ts';

export interface ServerOptions {
  /** How long services may finish what they took in, in milliseconds. Default: 10,000. */
  readonly drainMs?: number;
  /** How long they may take to stop after their work was cancelled, in milliseconds. Default: 5,000. */
  readonly abortMs?: number;
}

/** A service under way. `done` never rejects. */
interface Running {
  readonly name: string;
  readonly done: Promise<void>;
}

/** Runs what is bound. */
export class ProcessServer implements Server {
  readonly #initializers: readonly Initializer[];
  readonly #services: readonly BackgroundService[];
  readonly #checks: readonly Check[];
  readonly #readiness: ReadinessFlag;
  readonly #logger: Logger;
  readonly #drainMs: number;
  readonly #abortMs: number;
  readonly #running = new Map<BackgroundService, Running>();
  #started = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    initializers: readonly Initializer[],
    services: readonly BackgroundService[],
    checks: readonly Check[],
    readiness: ReadinessFlag,
    logger: Logger,
    { drainMs = 10_000, abortMs = 5_000 }: ServerOptions = {},
  ) {
    this.#initializers = initializers;
    this.#services = services;
    this.#checks = checks;
    this.#readiness = readiness;
    this.#logger = logger;
    this.#drainMs = drainMs;
    this.#abortMs = abortMs;
  }

  async run(ctx: Context, { hurry }: RunOptions = {}): Promise<void> {
    if (this.#started) throw new TypeError('a server runs once: build another one');
    this.#started = true;
    for (const initializer of this.#initializers) {
      if (ctx.signal.aborted) return;
      await initializer.init();
    }
    if (ctx.signal.aborted) return;
    using intake = withCancel(ctx);
    using work = withCancel(background);
    this.#start(intake.ctx, work.ctx, intake.cancel);
    this.#readiness.set(true);
    void logFindings(intake.ctx, this.#checks, this.#logger);
    await whenDone(intake.ctx);
    this.#readiness.set(false);
    await this.#stop(work.cancel, hurry);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #start(intake: Context, work: Context, stop: () => void): void {
    const ctx = withValue(intake, workContext, work);
    for (const service of this.#services.filter((service) => !service.isDisabled())) {
      const done = this.#runService(service, ctx, stop).finally(() => this.#running.delete(service));
      this.#running.set(service, { name: service.name, done });
    }
  }

  /** Whatever comes of the service: it is noted here. */
  async #runService(service: BackgroundService, ctx: Context, stop: () => void): Promise<void> {
    const { name } = service;
    this.#logger.debug('service started', { service: name });
    try {
      await service.run(ctx);
      if (!ctx.signal.aborted) throw new ServiceEndedError(name);
      this.#logger.debug('service stopped', { service: name });
    } catch (error) {
      // A service that is being stopped may say so by the error that its context ended with.
      if (ctx.signal.aborted && isCancellation(error)) return;
      if (this.#failure === undefined) this.#failure = { error };
      else this.#logger.error('another service failed', { service: name, err: error });
      stop();
    }
  }

  async #stop(abort: () => void, hurry: AbortSignal | undefined): Promise<void> {
    if (await this.#settledWithin(this.#drainMs, hurry)) return;
    this.#logger.warn('not everything finished in time: cancelling it', { services: this.#names() });
    abort();
    if (await this.#settledWithin(this.#abortMs)) return;
    const error = new ServiceStuckError(this.#names());
    this.#failure ??= { error };
    this.#logger.error(error.message, error.details);
  }

  #settledWithin(ms: number, hurry?: AbortSignal): Promise<boolean> {
    return settledWithin(Promise.all([...this.#running.values()].map(({ done }) => done)), ms, hurry);
  }

  #names(): string[] {
    return [...this.#running.values()].map(({ name }) => name);
  }
}

function isCancellation(error: unknown): boolean {
  if (DomainError.is(error)) return error.status === 'canceled';
  return error instanceof Error && error.name === 'AbortError';
}
