import 'reflect-metadata';
import { Conn } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { Logger } from '@samovar/server';
import { Container, type ContainerModule } from 'inversify';
import type { Config } from './config.ts';
import { stderrLogger } from './logger.ts';
import { modules } from './modules.ts';

/**
 * Connects to the event log and puts everything together; nothing runs yet. `overrides` are loaded last, and may bind
 * anew what they replace. Who builds closes the container's {@link Conn}, after everything else.
 *
 * @throws {NotALogError} @throws {LogUnavailableError} if the log cannot be opened.
 */
export async function build(config: Config, ...overrides: ContainerModule[]): Promise<Container> {
  const logger = stderrLogger(config.logLevel);
  const conn = await connect(config.events, { client: 'samovar', logger });
  const container = new Container();
  container.bind(Logger).toConstantValue(logger);
  container.bind(Conn).toConstantValue(conn);
  try {
    container.load(...modules(config), ...overrides);
    return container;
  } catch (error) {
    await conn.close();
    throw error;
  }
}
