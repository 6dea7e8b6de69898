import { GrpcApi, HttpApi } from '@samovar/api';
import { background, type Context, withCancel } from '@samovar/context';
import { Server } from '@samovar/server';
import type { Container } from 'inversify';
import { close } from './build.ts';

/** A server under way. */
export interface Running {
  /** Where it speaks HTTP. */
  readonly url: string;
  /** Where it speaks gRPC, if it does. */
  readonly grpcUrl: string | undefined;
  /** Resolves, or rejects with what went wrong, when the server has stopped and all is closed. */
  readonly stopped: Promise<void>;
}

/**
 * Runs what `build` put together, until `ctx` is done; resolves once it listens. At last it {@link close}s the
 * container, also if the start fails.
 *
 * @throws as {@link Server.run} does. @throws {CanceledError} if `ctx` was done before it listened.
 */
export async function run(ctx: Context, container: Container, hurry?: AbortSignal): Promise<Running> {
  const stopped = runToEnd(ctx, container, hurry);
  using waiting = withCancel(background);
  const cancelWaiting = () => waiting.cancel();
  stopped.then(cancelWaiting, cancelWaiting);
  try {
    const url = await container.get(HttpApi).listening(waiting.ctx);
    const grpc = container.isBound(GrpcApi) ? container.get(GrpcApi) : undefined;
    return { url, grpcUrl: await grpc?.listening(waiting.ctx), stopped };
  } catch (error) {
    // What stopped the server says more than that it did not begin to listen.
    await stopped;
    throw error;
  }
}

async function runToEnd(ctx: Context, container: Container, hurry: AbortSignal | undefined): Promise<void> {
  try {
    await container.get(Server).run(ctx, hurry === undefined ? {} : { hurry });
  } finally {
    await close(container);
  }
}
