import { fromBinary } from '@bufbuild/protobuf';
import { connectEntities } from '@samovar/activitygrpc';
import { ReposEventsResponseSchema } from '@samovar/api/entities/v1/repos';
import { background } from '@samovar/context';
import { reading } from './catchup.ts';
import type { Child } from './child.ts';
import { longRepo, rawClient, rawEvents } from './grpcwire.ts';
import { type Contender, type Effort, measure, ratio, short, summary, table } from './measure.ts';
import type { Letter } from './rawlog.ts';
import { silent } from './services.ts';

/** One reader of one long stream: each server with each client. */
export async function eventStream(raw: Child, samovar: Child, events: number, effort: Effort): Promise<string> {
  const ways = [
    rawReader('grpc-js, 100 events a message → grpc-js, JSON.parse', raw.url, events),
    rawReader('samovar → grpc-js, JSON.parse', samovar.url, events),
    entityReader('grpc-js, 100 events a message → connectEntities, data.json()', raw.url, events),
    entityReader('samovar → connectEntities, data.json()', samovar.url, events),
  ];
  const measured = await measure(ways, effort);
  const [limit] = measured;
  const rows = measured.map((way) => [way.name, summary(way), limit ? ratio(way, limit).toFixed(2) : '']);
  const notes = `${short(events)} events of one repository, from process to process over loopback; a payload is 200 bytes of JSON. samovar reads them from SQLite.`;
  return `${notes}\n\n${table(['server → client', 'events/s, median | min–max', '× raw'], rows)}`;
}

function rawReader(name: string, url: string, events: number): Contender {
  const utf8 = new TextDecoder();
  return reading(name, events, async (take, time) => {
    const client = rawClient(url);
    await time(async () => {
      for await (const message of rawEvents(client, longRepo, false)) {
        for (const { data } of fromBinary(ReposEventsResponseSchema, message as Buffer).events) {
          take(JSON.parse(utf8.decode(data)) as Letter);
        }
      }
    });
    client.close();
  });
}

function entityReader(name: string, url: string, events: number): Contender {
  return reading(name, events, async (take, time) => {
    await using connection = connectEntities(url, { logger: silent });
    const entity = { kind: 'repo', repoId: longRepo } as const;
    await time(async () => {
      const stream = connection.events.open(background, entity, { after: null, watch: false });
      for await (const event of stream) take(event.data.json<Letter>());
    });
  });
}
