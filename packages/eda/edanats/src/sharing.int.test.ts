import { nuid } from '@nats-io/transport-node';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { sharingConformance } from '@samovar/edatest/sharing';
import { afterAll, beforeAll, describe } from 'vitest';
import { opening } from '../testing.ts';
import { connectNats } from './edanats.ts';

describe.skipIf(natsLacking() !== undefined)('on NATS JetStream', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  sharingConformance(async () => {
    const cluster = nuid.next();
    return { conn: await connectNats(server.url, { cluster, logger: null }), opening: opening(server, cluster) };
  });
});
