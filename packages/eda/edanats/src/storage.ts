import { randomInt } from 'node:crypto';
import { DiscardPolicy, type JetStreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { type ConnectOptions, LogNotFoundError, NotALogError } from '@samovar/eda';
import { loggerOf } from '@samovar/edacore';
import { codeOf, codes } from '@samovar/nats/jetstream';
import type { Names } from './names.ts';

/** Nanoseconds that the server remembers what was published. */
export const duplicateWindow = 120e9;

type StreamConfig = Awaited<ReturnType<JetStreamManager['streams']['info']>>['config'];

/** What there is to know of the JetStream stream that holds a log. */
export interface Storage {
  /** The log's number, 20 bits. */
  readonly number: number;
  readonly replicas: number;
}

/**
 * Finds the JetStream stream of a log, or makes it. One that is there is left as it is; what its settings may cost is
 * told to the logger.
 *
 * @throws {LogNotFoundError} if there is none, and none is to be made.
 * @throws {NotALogError} if the stream is something else.
 */
export async function openStorage(jsm: JetStreamManager, names: Names, options: ConnectOptions): Promise<Storage> {
  const found = await find(jsm, names.stream);
  if (found === undefined && options.create === false) throw new LogNotFoundError(`${names.stream} on the NATS server`);
  const config = found ?? (await make(jsm, names, options));
  const number = numberOf(config);
  if (number === undefined) throw new NotALogError(`the JetStream stream ${names.stream} is not an event log's`);
  const subject = names.subject('>');
  if (config.subjects.length !== 1 || config.subjects[0] !== subject) {
    throw new NotALogError(`the JetStream stream ${names.stream} should have the subject ${subject}, and no other`);
  }
  for (const concern of concerns(config, options)) {
    loggerOf(options)?.warn(`the JetStream stream of an event log ${concern}`, { stream: names.stream });
  }
  return { number, replicas: config.num_replicas };
}

async function find(jsm: JetStreamManager, stream: string): Promise<StreamConfig | undefined> {
  try {
    return (await jsm.streams.info(stream)).config;
  } catch (error) {
    if (codeOf(error) === codes.streamNotFound) return undefined;
    throw error;
  }
}

async function make(jsm: JetStreamManager, names: Names, options: ConnectOptions): Promise<StreamConfig> {
  const { replicas = 1, maxLogBytes = -1 } = options;
  const number = randomInt(2 ** 20);
  try {
    const made = await jsm.streams.add({
      name: names.stream,
      description: JSON.stringify({ samovar: 'event log', version: 1, number }),
      subjects: [names.subject('>')],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      // A full log refuses what is new, and forgets nothing.
      discard: DiscardPolicy.New,
      max_bytes: maxLogBytes,
      num_replicas: replicas,
      duplicate_window: duplicateWindow,
      allow_direct: true,
    });
    return made.config;
  } catch (error) {
    if (codeOf(error) !== codes.streamNameInUse) throw error;
    return (await jsm.streams.info(names.stream)).config;
  }
}

function numberOf({ description = '' }: StreamConfig): number | undefined {
  try {
    const { samovar, version, number } = JSON.parse(description) as Record<string, unknown>;
    return samovar === 'event log' && version === 1 && Number.isInteger(number) ? (number as number) : undefined;
  } catch {
    return undefined;
  }
}

/** What of the settings is not as this package makes them, and what that means. */
function* concerns(config: StreamConfig, { replicas, maxLogBytes }: ConnectOptions): Generator<string> {
  const bounded = config.max_bytes > 0 || config.max_msgs > 0;
  if (config.max_age > 0 || config.max_msgs_per_subject > 0 || (bounded && config.discard !== DiscardPolicy.New)) {
    yield 'is set to forget events: those are lost to whoever has not read them';
  }
  if (config.retention !== RetentionPolicy.Limits) yield 'is set to forget what was delivered';
  if (config.storage !== StorageType.File) yield 'is in memory: a restart of the server loses it';
  if (config.duplicate_window < duplicateWindow) {
    yield 'remembers keys for less than two minutes: a publication repeated later is stored twice';
  }
  if (replicas !== undefined && config.num_replicas !== replicas) {
    yield `has ${config.num_replicas} replicas, not ${replicas}: change that with the server's own tools`;
  }
  if (maxLogBytes !== undefined && config.max_bytes !== maxLogBytes) {
    const limit = config.max_bytes > 0 ? `${config.max_bytes} bytes` : 'as many bytes as there is room for';
    yield `may take ${limit}, not ${maxLogBytes}: change that with the server's own tools`;
  }
}
