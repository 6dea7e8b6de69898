import { readFileSync } from 'node:fs';
import { type EntityKind, entityKinds } from '@samovar/activity';
import { connectEntities } from '@samovar/activitygrpc';
import { ProcessEngines } from '@samovar/activityimpl';
import { type Context, withTimeout } from '@samovar/context';
import { DomainError } from '@samovar/errors';
import { observeRegistries } from '@samovar/observerimpl/observing';
import { ListRegistriesQuery } from '@samovar/registry';
import type { Logger } from '@samovar/server';
import { InvalidConfigError } from './errors.ts';
import type { Output } from './output.ts';

export interface WorkerOptions {
  /** Where the server speaks gRPC: `grpc://host:port`, or `grpcs:` with TLS. */
  readonly server: string;
  /** What the server asks for. */
  readonly token: string | undefined;
  /** A file with the certificates to trust. */
  readonly ca: string | undefined;
  /** The kinds of entities whose activities are run. */
  readonly kinds: readonly EntityKind[];
  /** Milliseconds for which the end waits for activities that do not end at once. */
  readonly drainMs: number;
}

const answerMs = 5_000;
const tellEveryMs = 1_000;

/**
 * Runs the activities of a server's entities until `ctx` is done, beside the server itself and other workers: their leases
 * decide who runs what. A server that is away is waited for.
 *
 * @throws {InvalidConfigError} @throws {InvalidServerError} if it is no address. @throws what the server says against it.
 */
export async function work(options: WorkerOptions, output: Output, logger: Logger, ctx: Context): Promise<void> {
  const { server, token, ca, kinds, drainMs } = options;
  await using connection = connectEntities(server, {
    logger,
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca: certificates(ca) }),
  });
  const { events, leases, bus } = connection;
  await greet(ctx, connection, output, server);
  const engines = new ProcessEngines({ events, leases, logger });
  const telling = setInterval(tellOf(engines, output), tellEveryMs);
  try {
    await observeRegistries(ctx, { bus, engines, events, logger, kinds });
  } catch (error) {
    if (!ctx.signal.aborted) throw error;
  } finally {
    clearInterval(telling);
    await engines.stop(drainMs);
  }
}

/** The kinds that a list names, each at most once. @throws {InvalidConfigError} */
export function kindsOf(list: string): readonly EntityKind[] {
  const names = new Set(list.split(',').map((name) => name.trim()));
  const known = entityKinds.filter((kind) => names.delete(kind));
  if (names.size === 0) return known;
  throw new InvalidConfigError([`--kinds: ${[...names].join(', ')} is no kind; there are ${entityKinds.join(', ')}`]);
}

/** One that is away may come; one that refuses will not change its mind. */
async function greet(
  ctx: Context,
  { bus }: ReturnType<typeof connectEntities>,
  output: Output,
  server: string,
): Promise<void> {
  using scope = withTimeout(ctx, answerMs);
  try {
    await bus.dispatch(scope.ctx, ListRegistriesQuery, {});
    output.line(`works for ${server}; Ctrl-C stops`);
  } catch (error) {
    const isAway = DomainError.is(error) && ['unavailable', 'deadline_exceeded', 'canceled'].includes(error.status);
    if (!isAway) throw error;
    output.line(`waits for ${server}; Ctrl-C stops`);
  }
}

/** Tells how many activities this worker has, whenever that has changed. */
function tellOf(engines: ProcessEngines, output: Output): () => void {
  let told = 0;
  return () => {
    const all = [engines.lazy, engines.eager, engines.cron].flatMap((engine) => engine.activities());
    const own = all.filter(({ state }) => !['waiting', 'completed', 'stopped'].includes(state)).length;
    if (own !== told) output.line(`runs ${own} ${own === 1 ? 'activity' : 'activities'}`);
    told = own;
  };
}

function certificates(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new InvalidConfigError([`--ca cannot be read: ${(cause as Error).message}`], { cause });
  }
}
