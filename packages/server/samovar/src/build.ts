import 'reflect-metadata';
import { Workers } from '@samovar/activity';
import { Db } from '@samovar/db';
import { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { Logger } from '@samovar/server';
import { Container, type ContainerModule } from 'inversify';
import type { Config } from './config.ts';
import { stderrLogger } from './logger.ts';
import { modules } from './modules.ts';

/**
 * Connects to the event log and puts everything together; nothing runs yet, and the database is opened by whoever asks
 * for it first. `overrides` are loaded last, and may bind anew what they replace. Who builds, {@link close}s.
 *
 * @throws {NotALogError} @throws {LogUnavailableError} if the log cannot be opened.
 */
export async function build(config: Config, ...overrides: ContainerModule[]): Promise<Container> {
  const container = new Container();
  const logger = stderrLogger(config.logLevel);
  container.bind(Logger).toConstantValue(logger);
  const conn = await connectLog(config, logger);
  container.bind(Conn).toConstantValue(conn);
  try {
    container.load(...modules(config), ...overrides);
    return container;
  } catch (error) {
    await conn.close();
    throw error;
  }
}

/** Connects to the event log; `create`: made if there is none. @throws as `connect` does. */
export async function connectLog(config: Config, logger: Logger | null, create = true): Promise<Conn> {
  const { events, eventsCluster: cluster, eventsReplicas: replicas, eventsMaxBytes: maxLogBytes } = config;
  return await connect(events, {
    client: 'samovar',
    logger,
    create,
    cluster,
    ...(replicas === undefined ? {} : { replicas }),
    ...(maxLogBytes === undefined ? {} : { maxLogBytes }),
  });
}

/**
 * Closes what {@link build} put together, after everything else: first the event log, which waits for the handlers in
 * flight, then the database, which they use. The container has no Workers and no Db any more then.
 */
export async function close(container: Container): Promise<void> {
  try {
    await container.unbindAsync(Workers);
    await container.get(Conn).close();
  } finally {
    await container.unbindAsync(Db);
  }
}
