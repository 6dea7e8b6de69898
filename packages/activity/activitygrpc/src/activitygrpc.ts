import type { EntityEvents, WorkerLeases } from '@samovar/activity';
import type { Clock } from '@samovar/activitycore';
import type { Bus } from '@samovar/bus';
import type { Logger } from '@samovar/eda';
import { RemoteBus } from './client/bus.ts';
import { Channel, type ServerOptions } from './client/channel.ts';
import { RemoteEntityEvents } from './client/events.ts';
import { RemoteLeases } from './client/leases.ts';

export type { ServerOptions } from './client/channel.ts';
export { InvalidServerError, NotRemoteError } from './client/errors.ts';

export interface ConnectEntitiesOptions extends ServerOptions {
  /** Told, at warn, of signs of life that could not be given. */
  readonly logger: Logger;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/**
 * What a worker needs to run activities of another process. What fails in the server fails here with the same id, status
 * and details, though of the class DomainError, unless the contract of these methods names the class; what fails on the
 * way, with an id of `grpc`, such as `grpc.unavailable`, until the server is reached again.
 */
export interface EntityConnection extends AsyncDisposable {
  /** A stream that is cut fails, and does not go on by itself: an engine opens it again, and so must any other reader. */
  readonly events: EntityEvents;
  /** Those of one worker, which gives signs of life by itself from its first claim on. */
  readonly leases: WorkerLeases;
  /** Dispatches to the server; all else is refused with a NotRemoteError. */
  readonly bus: Bus;
  /** Gives the leases back, and ends all calls. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects to the server at `url`, `grpc://host:port`, or `grpcs:` with TLS. The connection is made when it is needed,
 * and again, by itself, whenever it is lost.
 *
 * @throws {InvalidServerError} if that is no such address, or the token is none or would be sent unencrypted to another machine.
 */
export function connectEntities(url: string, { logger, clock, ...server }: ConnectEntitiesOptions): EntityConnection {
  const channel = new Channel(url, server);
  const leases = new RemoteLeases(channel, logger, clock);
  const close = async () => {
    await leases[Symbol.asyncDispose]();
    channel.close();
  };
  return {
    events: new RemoteEntityEvents(channel),
    leases,
    bus: new RemoteBus(channel),
    close,
    [Symbol.asyncDispose]: close,
  };
}
