import { activityGrpcModule } from '@samovar/activitygrpc/module';
import { activityModule, sqlWorkersModule } from '@samovar/activityimpl/module';
import { GrpcApi } from '@samovar/api';
import { grpcModule } from '@samovar/apigrpc';
import { background } from '@samovar/context';
import { Conn, Data } from '@samovar/eda';
import { connect } from '@samovar/edaimpl';
import { BackgroundService, Readiness } from '@samovar/server';
import { streamOf } from './entities.ts';
import type { Serving } from './grpcserver.ts';
import { longRepo, watchedRepo } from './grpcwire.ts';
import { letter } from './rawlog.ts';
import { busContainer } from './services.ts';

const commitSize = 100;

/** The gRPC face over a log in `file`, with so many events of one repository and one of the other. */
export async function samovarServer(file: string, events: number): Promise<Serving> {
  const conn = await connect(`sqlite:${file}`);
  for (let n = 0; n < events; n += commitSize) {
    const batch = Array.from({ length: Math.min(commitSize, events - n) }, (_, i) => eventOf(n + i));
    await conn.publishAll(background, streamOf(longRepo), batch);
  }
  const publish = async () => void (await conn.publish(background, streamOf(watchedRepo), eventOf(0)));
  await publish();
  return { url: await serve(conn), publish };
}

/** With 200 bytes of JSON. */
function eventOf(n: number) {
  const { publisher, text } = letter(0, n);
  return { type: 'bench.LetterSent', data: Data.json({ publisher, n, text, more: text.padEnd(90, text) }) };
}

async function serve(conn: Conn): Promise<string> {
  const container = busContainer();
  container.bind(Conn).toConstantValue(conn);
  container.bind(Readiness).toConstantValue({ isReady: () => true });
  const options = { host: '127.0.0.1', port: 0, maxMessageBytes: 1024 * 1024 };
  container.load(sqlWorkersModule(), activityModule(), activityGrpcModule, grpcModule(options));
  const running = Promise.all(container.getAll(BackgroundService).map((service) => service.run(background)));
  return await Promise.race([container.get(GrpcApi).listening(background), running.then(() => '')]);
}
