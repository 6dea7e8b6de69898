import { background, type Context, contextKey } from '@samovar/context';

export { ServiceEndedError, ServiceStuckError } from './errors.ts';

/**
 * Wires a service up: adds its handlers and listeners. Bound in module.ts, any number of them; the server calls them
 * all, one after another, in the order of modules.ts, before anything runs. One that throws stops the start.
 */
export abstract class Initializer {
  /** @throws whatever must keep the server from starting. */
  abstract init(): void | Promise<void>;
}

/**
 * Runs as long as the server does. Bound in module.ts, any number of them; all are started once every Initializer is
 * through.
 */
export abstract class BackgroundService {
  /** Names the service in logs. */
  abstract readonly name: string;
  /** A disabled service is never run. Cannot fail. */
  abstract isDisabled(): boolean;
  /**
   * Works until `ctx` is done, then takes in nothing new, finishes what it has taken in, and resolves. Work that was
   * taken in runs under `ctx.value(workContext)`, which outlives `ctx` by the server's drain time. If `run` rejects,
   * or settles before `ctx` is done, the server stops.
   *
   * @throws whatever the server must not outlive.
   */
  abstract run(ctx: Context): Promise<void>;
}

/**
 * Inside {@link BackgroundService.run}: the context of work that was taken in. It ends after the shutdown's drain time,
 * and carries no values of a call.
 */
export const workContext = contextKey<Context>('server.work', background);

/** Whether the server takes in work: from when everything has started until shutdown begins. Cannot fail. */
export abstract class Readiness {
  abstract isReady(): boolean;
}

/** What a {@link Check} has found. */
export interface Finding {
  /** error: something does not work, or will not. warning: somebody should look at it. note: good to know. */
  readonly severity: 'error' | 'warning' | 'note';
  /** What is wrong, on one line: `outbox: stickers.ann has waited for 3 h behind a row that cannot be sent`. */
  readonly message: string;
  /** What to do about it. */
  readonly mend: string;
}

/**
 * Looks whether all is well with a part of the server, and changes nothing. Bound in module.ts, any number of them;
 * they run when the server has started, and for `samovar doctor`, which initialises but starts nothing.
 */
export abstract class Check {
  /** Names the check in reports. */
  abstract readonly name: string;
  /** Findings in the order of their importance; none: all is well. @throws whatever kept it from looking. */
  abstract check(ctx: Context): Promise<readonly Finding[]>;
}

export interface RunOptions {
  /** Aborted: a shutdown that is draining stops waiting, as if the drain time were over. Default: never. */
  readonly hurry?: AbortSignal;
}

/** The life of a process: wired up, started, running, stopped. */
export abstract class Server {
  /**
   * Calls every {@link Initializer}, then starts every {@link BackgroundService} that is not disabled. When `ctx` is
   * done, or a service rejects or settles by itself, it stops in two phases: the services' context ends, and they have
   * the drain time to finish what they took in; then {@link workContext} ends, and after a last bounded wait those
   * still running are given up. Resolves when all have stopped; may be called once.
   *
   * @throws whatever an initializer threw, before anything runs; else the first error of a service.
   * @throws {ServiceEndedError} if a service settled by itself without one.
   * @throws {ServiceStuckError} if a service was given up, and nothing went wrong before.
   */
  abstract run(ctx: Context, options?: RunOptions): Promise<void>;
}

/**
 * Structured log. Fields are plain values; an Error goes under `err`. Logging cannot fail for its caller. pino's loggers
 * fit through a small adapter.
 */
export abstract class Logger {
  abstract debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  abstract info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  abstract warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  abstract error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** A logger that adds `fields` to every line. */
  abstract child(fields: Readonly<Record<string, unknown>>): Logger;
}
