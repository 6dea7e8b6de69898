import { once } from 'node:events';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import type { Event } from '@samovar/api/entities/v1/event';
import { ReposEventsRequestSchema, ReposEventsResponseSchema } from '@samovar/api/entities/v1/repos';
import type { Serving } from './grpcserver.ts';
import { asIs, eventsPath, longRepo, rawClient, rawEvents, watchedRepo } from './grpcwire.ts';

type Call = ServerWritableStream<Buffer, Buffer>;

const eventsEach = 100;

/** A server of grpc-js alone that has got all messages ready: the events of the server at `url`. */
export async function rawServer(url: string): Promise<Serving> {
  const messages = batches(await fetchEvents(url, longRepo));
  const news = batches(await fetchEvents(url, watchedRepo))[0] as Buffer;
  const watching = new Set<Call>();
  const server = new Server({ 'grpc.max_concurrent_streams': 4096 });
  const method = { path: eventsPath, requestStream: false, responseStream: true } as const;
  const codec = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  server.addService(
    { events: { ...method, ...codec } },
    {
      events: (call: Call) => {
        if (!fromBinary(ReposEventsRequestSchema, call.request).watch) return void sendAll(call, messages);
        watching.add(call);
        call.once('cancelled', () => watching.delete(call));
        call.write(news);
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
  return {
    url: `grpc://127.0.0.1:${port}`,
    async publish() {
      for (const call of watching) call.write(news);
    },
  };
}

async function sendAll(call: Call, messages: readonly Buffer[]): Promise<void> {
  for (const message of messages) if (!call.write(message)) await once(call, 'drain');
  call.end();
}

async function fetchEvents(url: string, repoId: string): Promise<Event[]> {
  const client = rawClient(url);
  const events: Event[] = [];
  for await (const message of rawEvents(client, repoId, false)) {
    events.push(...fromBinary(ReposEventsResponseSchema, message as Buffer).events);
  }
  client.close();
  return events;
}

function batches(events: readonly Event[]): Buffer[] {
  return Array.from({ length: Math.ceil(events.length / eventsEach) }, (_, i) => {
    const batch = events.slice(i * eventsEach, (i + 1) * eventsEach);
    return Buffer.from(toBinary(ReposEventsResponseSchema, create(ReposEventsResponseSchema, { events: batch })));
  });
}
