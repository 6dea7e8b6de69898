import { create, toBinary } from '@bufbuild/protobuf';
import { Client, type ClientReadableStream, credentials } from '@grpc/grpc-js';
import { Repos, ReposEventsRequestSchema } from '@samovar/api/entities/v1/repos';
import { repoIdOf } from './entities.ts';

/** The repository that has many events, and the one that is watched. */
export const longRepo = repoIdOf(1);
export const watchedRepo = repoIdOf(2);

export const eventsPath = `/${Repos.typeName}/${Repos.method.events.name}`;

export const asIs = (bytes: Buffer): Buffer => bytes;

/** grpc-js by itself. */
export function rawClient(url: string): Client {
  return new Client(url.slice('grpc://'.length), credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.enable_http_proxy': 0,
  });
}

/** Messages with a repository's events, not decoded. */
export function rawEvents(client: Client, repoId: string, watch: boolean): ClientReadableStream<Buffer> {
  const request = Buffer.from(toBinary(ReposEventsRequestSchema, create(ReposEventsRequestSchema, { repoId, watch })));
  return client.makeServerStreamRequest<Buffer, Buffer>(eventsPath, asIs, asIs, request);
}
