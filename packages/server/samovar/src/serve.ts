import { Bus } from '@samovar/bus';
import { type CancelScope, type Context, withCancel } from '@samovar/context';
import { Conn } from '@samovar/eda';
import { DomainError } from '@samovar/errors';
import { ObserveFoldersCommand } from '@samovar/observer';
import { ListReposQuery } from '@samovar/repos';
import { Logger } from '@samovar/server';
import type { Container } from 'inversify';
import { build } from './build.ts';
import type { Config } from './config.ts';
import { takeDataDir } from './datadir.ts';
import type { Output } from './output.ts';
import { showProgress } from './progress.ts';
import { Report } from './report.ts';
import { run } from './run.ts';

/**
 * Serves, and observes the configured folders, until `ctx` is done; `hurry` is as for the server. Resolves when all has
 * stopped cleanly.
 *
 * @throws what went wrong first.
 */
export async function serve(config: Config, output: Output, ctx: Context, hurry: AbortSignal): Promise<void> {
  using _dataDir = takeDataDir(config.data);
  const container = await build(config);
  using scope = withCancel(ctx);
  const failures = await settle(container, config, output, scope, hurry);
  const failure = failures.find(({ error }) => !(scope.ctx.signal.aborted && isCancellation(error)));
  if (failure !== undefined) throw failure.error;
}

/** Runs the server and observes beside it; when either fails, both end. What was wrong with them, the cause first. */
async function settle(
  container: Container,
  config: Config,
  output: Output,
  { ctx, cancel }: CancelScope,
  hurry: AbortSignal,
): Promise<{ readonly error: unknown }[]> {
  try {
    const { url, grpcUrl, stopped } = await run(ctx, container, hurry);
    output.line(`Samovar serves ${url} (data in ${config.data})`);
    if (grpcUrl !== undefined) output.line(`and speaks gRPC at ${grpcUrl}`);
    const observed = observe(container, config, output, ctx);
    stopped.then(cancel, cancel);
    observed.catch(cancel);
    const outcomes = await Promise.allSettled([observed, stopped]);
    return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [{ error: outcome.reason }] : []));
  } catch (error) {
    return [{ error }];
  }
}

function isCancellation(error: unknown): boolean {
  return DomainError.is(error) && error.status === 'canceled';
}

async function observe(container: Container, config: Config, output: Output, ctx: Context): Promise<void> {
  const [bus, conn, logger] = [container.get(Bus), container.get(Conn), container.get(Logger)];
  const { folders, registry } = config;
  const report = new Report(bus, conn, logger, output);
  const progress = showProgress(bus, output);
  const { repos, problems } = await bus
    .dispatch(ctx, ObserveFoldersCommand, { folders, registry })
    .finally(() => progress[Symbol.dispose]());
  for (const repo of repos) report.tell(repo);
  for (const repo of await bus.dispatch(ctx, ListReposQuery, {})) report.know(repo);
  for (const { path, error, message } of problems) output.problem(`problem: ${path}: ${message} (${error})`);
  output.line('observing; Ctrl-C stops');
  await report.follow(ctx);
}
