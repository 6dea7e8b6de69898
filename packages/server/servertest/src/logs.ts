import { randomUUID } from 'node:crypto';
import type { Conn } from '@samovar/eda';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { type Config, connectLog, loadConfig } from '@samovar/samovar';
import { afterAll, beforeAll, describe } from 'vitest';

export type LogName = 'SQLite' | 'NATS JetStream';

/** An event log for one server, and for those that take its place. */
export interface TestLog {
  /** What tells `startServer` of it. */
  readonly settings: Partial<Config>;
  /** What tells the `samovar` command of it. */
  readonly env: NodeJS.ProcessEnv;
  /** Connects beside the server with this data directory; `create`: the log is made if there is none. Default: true. */
  connect(data: string, create?: boolean): Promise<Conn>;
}

/**
 * Runs `suite` with the event log in a SQLite file, where a server has it by default, and {@link describeOnNats}; it is
 * given the log's name, and what makes an empty one.
 */
export function describeOnLogs(suite: (name: LogName, freshLog: () => TestLog) => void): void {
  describe('on SQLite', () => suite('SQLite', () => sqliteLog));
  describeOnNats((freshLog) => suite('NATS JetStream', freshLog));
}

/** Runs `suite` with a NATS server of its own. Where there is none to be had, it is skipped. */
export function describeOnNats(suite: (freshLog: () => TestLog) => void): void {
  describe.skipIf(natsLacking() !== undefined)('on NATS JetStream', () => {
    let server: NatsServer;
    beforeAll(async () => {
      server = await NatsServer.start();
    });
    afterAll(() => server[Symbol.asyncDispose]());
    suite(() => natsLog(server.url, randomUUID()));
  });
}

const sqliteLog = logOf({}, {});

function natsLog(events: string, cluster: string): TestLog {
  const env = { SAMOVAR_EVENTS: events, SAMOVAR_EVENTS_CLUSTER: cluster };
  return logOf({ events, eventsCluster: cluster }, env);
}

function logOf(settings: Partial<Config>, env: NodeJS.ProcessEnv): TestLog {
  const connect = (data: string, create = true) =>
    connectLog(loadConfig({ flags: { data, ...settings }, env: {}, cwd: data }), null, create);
  return { settings, env, connect };
}
