import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LazyEngine } from '@samovar/activitylazy';
import {
  engineContract,
  entityEventsContract,
  leasesContract,
  logWorld,
  type World,
} from '@samovar/activitytest/contract';
import { connect } from '@samovar/edaimpl';
import { afterAll, beforeAll } from 'vitest';
import { RemoteTeam, startServer } from '../testing.ts';

/** Events of a log that is reached over the network. */
async function remoteWorld(url = 'memory:'): Promise<World> {
  const conn = await connect(url, { logger: null });
  const server = await startServer(conn);
  const connection = server.connect();
  const local = await logWorld(conn, () => connection.events);
  return {
    events: local.events,
    append: local.append,
    async [Symbol.asyncDispose]() {
      await connection.close();
      await server[Symbol.asyncDispose]();
      await conn.close();
    },
  };
}

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samovar-grpc-'));
});
afterAll(() => rm(folder, { recursive: true }));

entityEventsContract('a log in memory over gRPC', () => remoteWorld());
entityEventsContract('a log in SQLite over gRPC', () => remoteWorld(`sqlite:${join(folder, `${files++}.db`)}`));
leasesContract(
  'leases over gRPC',
  async () => new RemoteTeam(await startServer(await connect('memory:', { logger: null }))),
);
engineContract('LazyEngine over gRPC', (options) => new LazyEngine(options), {}, remoteWorld);
