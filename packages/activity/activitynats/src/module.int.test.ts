import { randomUUID } from 'node:crypto';
import { Workers } from '@samovar/activity';
import { background } from '@samovar/context';
import { NatsServer, natsLacking } from '@samovar/edatest/nats';
import type { Uuid } from '@samovar/repos';
import { Logger } from '@samovar/server';
import { Container } from 'inversify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { natsWorkersModule } from './module.ts';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const entity = { kind: 'repo', repoId: randomUUID() as Uuid } as const;

describe.skipIf(natsLacking() !== undefined)('natsWorkersModule', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  function containerFor(url: string): Container {
    const container = new Container();
    container.bind(Logger).toConstantValue(silent);
    container.load(natsWorkersModule({ url, cluster: randomUUID() }));
    return container;
  }

  it('binds workers that share the activities', async () => {
    const container = containerFor(server.url);
    const workers = container.get(Workers);
    await using ann = await workers.join();
    await using bob = await workers.join();
    expect(await ann.claim(background, { entity, name: 'tea' })).toMatchObject({ epoch: 1, isCompleted: false });
    expect(await bob.claim(background, { entity, name: 'tea' })).toBeUndefined();
    await ann[Symbol.asyncDispose]();
    await bob[Symbol.asyncDispose]();
    await container.unbindAsync(Workers);
  });

  it('needs no server until somebody joins, nor when nobody does', async () => {
    const container = containerFor('nats://127.0.0.1:1');
    await expect(container.get(Workers).join()).rejects.toThrow();
    await container.unbindAsync(Workers);
  });
});
