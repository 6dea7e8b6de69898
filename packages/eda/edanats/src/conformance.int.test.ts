import { nuid } from '@nats-io/transport-node';
import { edaConformance } from '@samovar/edatest/conformance';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import { afterAll, beforeAll, describe } from 'vitest';
import { connectNats } from './edanats.ts';

let server: NatsServer;

describe.skipIf(natsLacking() !== undefined)('with a server', () => {
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const lacks = {
    keys: 'JetStream does not order by key: that is yet to be done in the client',
    handover: 'a server may, rarely, hand out a commit again after the last member has closed; not understood yet',
    parking: 'nothing is parked on NATS yet: events are tried for ever',
  };
  edaConformance('NATS JetStream', {
    lacks,
    open: async () => {
      const cluster = nuid.next();
      return {
        connect: (client = '') => connectNats(server.url, { client, cluster, logger: null }),
        reopen: async () => {
          await server.stop();
          await server.start();
        },
        [Symbol.asyncDispose]: async () => {},
      };
    },
  });
});
