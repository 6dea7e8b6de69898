import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Client, type ClientDuplexStream, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { expect, it, onTestFinished, vi } from 'vitest';
import { CountBooksQuery, protoFolder, startGrpc } from '../testing.ts';

type Answer = (error: Error | null, value: Record<string, unknown>) => void;
/** A client as gRPC makes it out of a definition. */
type Stub = Client & Record<string, (request: object, done: Answer) => void>;

/** Whatever a program without any of this project's code makes of a definition. */
function stubOf(definition: PackageDefinition, service: string, target: string): Stub {
  const path = service.split('.');
  const found = path.reduce<unknown>(
    (at, name) => (at as Record<string, unknown>)[name],
    loadPackageDefinition(definition),
  );
  const stub = new (found as new (...args: readonly unknown[]) => Stub)(target, credentials.createInsecure());
  onTestFinished(() => stub.close());
  return stub;
}

function ask(stub: Stub, method: string, request: object): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    stub[method]?.(request, (error, value) => (error ? reject(error) : resolve(value)));
  });
}

const reflectionProto = join(
  dirname(createRequire(import.meta.url).resolve('@grpc/reflection')),
  '../proto/grpc/reflection/v1/reflection.proto',
);

interface Reflected {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
}

async function reflect(target: string, request: object): Promise<Reflected> {
  const stub = stubOf(loadSync(reflectionProto), 'grpc.reflection.v1.ServerReflection', target);
  const call = (
    stub as unknown as Record<string, () => ClientDuplexStream<object, Reflected>>
  ).serverReflectionInfo?.();
  call?.write(request);
  for await (const answer of call ?? []) {
    call?.cancel();
    return answer as Reflected;
  }
  throw new Error('nothing was reflected');
}

it('serves clients that have the proto files', async () => {
  const { target, bus } = await startGrpc();
  bus.addHandler(CountBooksQuery, () => 3);
  const definition = loadSync('samovar/entities/v1/messages.proto', { includeDirs: [protoFolder] });
  const stub = stubOf(definition, 'samovar.entities.v1.Messages', target);
  const { result } = await ask(stub, 'dispatch', { message: 'library.CountBooksQuery' });
  expect(String(result)).toBe('3');
});

it('serves clients that have nothing but its address', async () => {
  const { target, bus } = await startGrpc();
  bus.addHandler(CountBooksQuery, () => 3);
  const { listServicesResponse } = await reflect(target, { listServices: '*' });
  expect(listServicesResponse?.service.map(({ name }) => name)).toContain('samovar.entities.v1.Messages');
  const { fileDescriptorResponse } = await reflect(target, { fileContainingSymbol: 'samovar.entities.v1.Messages' });
  const files = fileDescriptorResponse?.fileDescriptorProto ?? [];
  // A set of files has each as its first field.
  const set = files.map((file) => Buffer.concat([Buffer.from([0x0a]), varint(file.length), file]));
  const stub = stubOf(loadFileDescriptorSetFromBuffer(Buffer.concat(set)), 'samovar.entities.v1.Messages', target);
  const { result } = await ask(stub, 'dispatch', { message: 'library.CountBooksQuery' });
  expect(String(result)).toBe('3');
});

it('tells whether it takes in work', async () => {
  let ready = false;
  const { target, intake } = await startGrpc({ isReady: () => ready });
  const health = stubOf(loadSync(protoPath, { enums: String }), 'grpc.health.v1.Health', target);
  expect(await ask(health, 'check', {})).toEqual({ status: 'NOT_SERVING' });
  const watched: unknown[] = [];
  const watch = (health as unknown as Record<string, (request: object) => NodeJS.EventEmitter>).watch?.({
    service: '',
  });
  watch?.on('data', ({ status }) => watched.push(status));
  watch?.on('error', ({ code }) => watched.push(code));
  ready = true;
  await vi.waitFor(() => expect(watched).toEqual(['NOT_SERVING', 'SERVING']));
  expect(await ask(health, 'check', { service: 'samovar.entities.v1.Messages' })).toEqual({ status: 'SERVING' });
  await expect(ask(health, 'check', { service: 'tea' })).rejects.toMatchObject({ code: 5 });
  intake.cancel();
  await vi.waitFor(() => expect(watched.at(-1)).toBe(14));
});

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    bytes.push(left > 127 ? (left & 127) | 128 : left);
    if (left < 128) return Buffer.from(bytes);
  }
}
