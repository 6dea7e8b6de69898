import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { GrpcApi, type GrpcOptions, GrpcService } from '@samovar/api';
import { DispatchRequestSchema, DispatchResponseSchema } from '@samovar/api/entities/v1/messages';
import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import {
  background,
  type CancelScope,
  type Context,
  throwIfDone,
  whenDone,
  withCancel,
  withValue,
} from '@samovar/context';
import { command, query } from '@samovar/message';
import { BackgroundService, Logger, Readiness, workContext } from '@samovar/server';
import { Container } from 'inversify';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { grpcModule } from './src/module.ts';

export const CountBooksQuery = query('library.CountBooksQuery', z.object({}), z.int());
export const LendBookCommand = command('library.LendBookCommand', z.object({ isbn: z.string().min(3) }));

/** Where the protocol's files are, for clients that know nothing else. */
export const protoFolder = join(import.meta.dirname, '..', 'api', 'proto');

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: unknown;
}

export interface RunningGrpc {
  readonly url: string;
  /** As gRPC's clients want it. */
  readonly target: string;
  readonly api: GrpcApi;
  readonly bus: FakeBus;
  readonly lines: readonly Line[];
  readonly intake: CancelScope;
  readonly work: CancelScope;
  readonly running: Promise<unknown>;
}

interface Setup {
  readonly options?: Partial<GrpcOptions>;
  readonly services?: readonly GrpcService[];
  readonly isReady?: () => boolean;
}

/** A face that does not run yet. */
export function containerOf(
  { options, services = [], isReady = () => true }: Setup = {},
  lines: Line[] = [],
): Container {
  const at = (level: string) => (message: string, fields?: unknown) => void lines.push({ level, message, fields });
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  const container = new Container();
  container.load(grpcModule({ host: '127.0.0.1', port: 0, maxMessageBytes: 100_000, ...options }));
  for (const service of services) container.bind(GrpcService).toConstantValue(service);
  container.bind(FakeBus).toConstantValue(new FakeBus());
  container.bind(Bus).toService(FakeBus);
  container.bind(Readiness).toConstantValue({ isReady });
  container.bind(Logger).toConstantValue(logger);
  return container;
}

/** A face on a free port, for as long as the test runs. */
export async function startGrpc(setup: Setup = {}): Promise<RunningGrpc> {
  const lines: Line[] = [];
  const container = containerOf(setup, lines);
  const api = container.get(GrpcApi);
  const work = withCancel(background);
  const intake = withCancel(withValue(background, workContext, work.ctx));
  const running = Promise.all(container.getAll(BackgroundService).map((service) => service.run(intake.ctx)));
  const url = await Promise.race([api.listening(background), running.then(() => '')]);
  onTestFinished(async () => {
    intake.cancel();
    work.cancel();
    await running;
  });
  const target = url.replace(/^grpcs?:\/\//, '');
  return { url, target, api, bus: container.get(FakeBus), lines, intake, work, running };
}

interface CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadline?: Date;
}

/** A client of bytes. It is closed when the test is over. */
export function clientOf(target: string, creds = credentials.createInsecure()): Client {
  const client = new Client(target, creds, { 'grpc.enable_http_proxy': 0 });
  onTestFinished(() => client.close());
  return client;
}

export function metadataOf(entries: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
}

export const asIs = (bytes: Buffer): Buffer => bytes;

/** Asks for one answer, in bytes. @throws {ServiceError} */
export function callRaw(client: Client, path: string, bytes: Uint8Array, options: CallOptions = {}): Promise<Buffer> {
  const { metadata, deadline } = options;
  return new Promise((resolve, reject) => {
    const callOptions = deadline === undefined ? {} : { deadline };
    const done = (error: ServiceError | null, value?: Buffer) => (error ? reject(error) : resolve(value as Buffer));
    client.makeUnaryRequest(path, asIs, asIs, Buffer.from(bytes), metadataOf(metadata), callOptions, done);
  });
}

export const dispatchPath = '/samovar.entities.v1.Messages/Dispatch';

/** Dispatches a message with JSON, or any text, as its arguments; gives the result's text. @throws {ServiceError} */
export async function dispatch(client: Client, message: string, args = '', options: CallOptions = {}): Promise<string> {
  const request = create(DispatchRequestSchema, { message, args: Buffer.from(args) });
  const answer = await callRaw(client, dispatchPath, toBinary(DispatchRequestSchema, request), options);
  return Buffer.from(fromBinary(DispatchResponseSchema, answer).result).toString();
}

/** Waits until `ctx` is done, and throws why. */
export async function untilDone(ctx: Context): Promise<never> {
  await whenDone(ctx);
  throwIfDone(ctx);
  throw new Error('unreachable');
}
