import type {
  EntityEvents,
  EntityKind,
  EntityRef,
  Leases,
  OpenOptions,
  WorkerLeases,
  Workers,
} from '@samovar/activity';
import type { Clock } from '@samovar/activitycore';
import { connEntityEvents } from '@samovar/activityimpl';
import { FakeLeases, RecordingLogger, TestClock } from '@samovar/activitytest';
import { GrpcApi, type GrpcOptions, GrpcService } from '@samovar/api';
import { grpcModule } from '@samovar/apigrpc';
import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { background, type CancelScope, type Context, withCancel, withValue } from '@samovar/context';
import type { Conn, Event, EventId, EventStream } from '@samovar/eda';
import { BackgroundService, Logger, Readiness, workContext } from '@samovar/server';
import { Container } from 'inversify';
import { vi } from 'vitest';
import { connectEntities, type EntityConnection } from './src/activitygrpc.ts';
import { broadcastService } from './src/server/broadcast.ts';
import { EventFeed, ephemeralRegistryService, registryService, reposService } from './src/server/events.ts';
import { leasesService } from './src/server/leases.ts';
import { RemoteWorkers } from './src/server/workers.ts';

export const leaseMs = 6_000;

/** Workers of one table in memory. */
export class MemoryWorkers implements Workers {
  readonly leaseMs = leaseMs;
  readonly #first = new FakeLeases();
  readonly #members = new Set<FakeLeases>();

  /** How many have joined and not left. */
  get members(): number {
    return this.#members.size;
  }

  async join(): Promise<WorkerLeases> {
    const leases = this.#first.another();
    this.#members.add(leases);
    leases.beat();
    return Object.assign(leases, {
      [Symbol.asyncDispose]: async () => {
        this.#members.delete(leases);
        leases.expire();
      },
    });
  }

  /** Has each give a sign of life. */
  beat(): void {
    for (const leases of this.#members) leases.beat();
  }
}

/** The entities of a log, which notes what is read of it. */
export class CountingEvents implements EntityEvents {
  readonly read: EventId[] = [];
  /** Readers that wait for news. */
  watching = 0;
  /** Of these, those that have been told to end. */
  ended = 0;
  readonly #events: EntityEvents;

  constructor(conn: Conn) {
    this.#events = connEntityEvents(conn);
  }

  open(ctx: Context, entity: EntityRef, options: OpenOptions): EventStream {
    if (options.watch) {
      this.watching++;
      ctx.signal.addEventListener('abort', () => this.ended++);
    }
    const events = this.#events.open(ctx, entity, options);
    const counted = () => this.#count(events);
    return { history: counted, [Symbol.asyncIterator]: counted };
  }

  signals(ctx: Context, kinds: readonly EntityKind[]): AsyncIterable<readonly EntityRef[]> {
    return this.#events.signals(ctx, kinds);
  }

  head(ctx: Context, entity: EntityRef): Promise<EventId | null> {
    return this.#events.head(ctx, entity);
  }

  heads(ctx: Context, kinds: readonly EntityKind[]): ReturnType<EntityEvents['heads']> {
    return this.#events.heads(ctx, kinds);
  }

  async *#count(events: AsyncIterable<Event>): AsyncGenerator<Event> {
    for await (const event of events) {
      this.read.push(event.id);
      yield event;
    }
  }
}

export function testLogger(): RecordingLogger & Logger {
  const logger: RecordingLogger & Logger = Object.assign(new RecordingLogger(), { child: () => logger });
  return logger;
}

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly bus: FakeBus;
  readonly logger: RecordingLogger;
  readonly workers: MemoryWorkers;
  /** By which the server counts how long workers are silent. */
  readonly clock: TestClock;
  readonly intake: CancelScope;
  readonly work: CancelScope;
  connect(clock?: Clock, token?: string): EntityConnection;
}

interface Setup {
  readonly options?: Partial<GrpcOptions>;
  readonly workers?: MemoryWorkers;
  readonly bus?: FakeBus;
  readonly mostWorkers?: number;
  /** Default: the log's. */
  readonly events?: EntityEvents;
}

/** A server of a log's events, on a free port. */
export async function startServer(
  conn: Conn,
  {
    options,
    workers = new MemoryWorkers(),
    bus = new FakeBus(),
    mostWorkers = 100,
    events = connEntityEvents(conn),
  }: Setup = {},
): Promise<TestServer> {
  const [clock, logger] = [new TestClock(), testLogger()];
  const feed = new EventFeed(events);
  const remote = new RemoteWorkers(workers, { most: mostWorkers, clock, logger });
  const services = [
    ...[registryService, ephemeralRegistryService, reposService].map((service) => service(feed)),
    broadcastService(events),
    leasesService(remote),
  ];
  const container = new Container();
  container.load(grpcModule({ host: '127.0.0.1', port: 0, maxMessageBytes: 1024 * 1024, ...options }));
  for (const service of services) container.bind(GrpcService).toConstantValue(service);
  container.bind(Bus).toConstantValue(bus);
  container.bind(Readiness).toConstantValue({ isReady: () => true });
  container.bind(Logger).toConstantValue(logger);
  const work = withCancel(background);
  const intake = withCancel(withValue(background, workContext, work.ctx));
  const running = Promise.all(
    [...container.getAll(BackgroundService), remote].map((service) => service.run(intake.ctx)),
  );
  const url = await Promise.race([container.get(GrpcApi).listening(background), running.then(() => '')]);
  const connect = (clientClock = new TestClock() as Clock, token?: string) =>
    connectEntities(url, { logger, clock: clientClock, ...(token === undefined ? {} : { token }) });
  return {
    url,
    bus,
    logger,
    workers,
    clock,
    intake,
    work,
    connect,
    async [Symbol.asyncDispose]() {
      intake.cancel();
      await running;
    },
  };
}

/** Workers of one server, each with a clock of its own: one whose clock stands still gives no sign of life. */
export class RemoteTeam implements AsyncDisposable {
  readonly server: TestServer;
  readonly #connections = new Map<Leases, { readonly connection: EntityConnection; readonly clock: TestClock }>();

  constructor(server: TestServer) {
    this.server = server;
  }

  async worker(): Promise<Leases> {
    const clock = new TestClock();
    const connection = this.server.connect(clock);
    this.#connections.set(connection.leases, { connection, clock });
    return connection.leases;
  }

  async expire(silent: Leases): Promise<void> {
    for (let passed = 0; passed < leaseMs; passed += leaseMs / 6) {
      for (const leases of this.#connections.keys()) if (leases !== silent) await this.#beat(leases);
      this.server.clock.advance(leaseMs / 6);
    }
  }

  async beat(leases: Leases): Promise<void> {
    this.server.workers.beat();
    await this.#beat(leases);
  }

  /** That worker tells the server that it is alive, if it has joined. */
  async #beat(leases: Leases): Promise<void> {
    const clock = this.#connections.get(leases)?.clock;
    if (clock === undefined || clock.timers === 0) return;
    clock.advance(leaseMs / 6);
    await vi.waitUntil(() => clock.timers === 1, { interval: 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { connection } of this.#connections.values()) await connection.close();
    await this.server[Symbol.asyncDispose]();
  }
}
