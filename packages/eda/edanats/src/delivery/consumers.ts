import { AckPolicy, type ConsumerConfig, DeliverPolicy, ReplayPolicy } from '@nats-io/jetstream';
import { nuid } from '@nats-io/transport-node';
import { InvalidArgumentError, type Logger } from '@samovar/eda';
import { changedOptions, decodeId, maxCommit, optionsOf, type Terms } from '@samovar/edacore';
import { codeOf, codes } from '../errors.ts';
import { encodeName } from '../names.ts';
import type { NatsLog } from '../natslog.ts';
import type { Kept, Records, SubscriptionRecord } from './records.ts';

/** Milliseconds that the server waits for a sign of life of whoever holds a message, before it gives it to another. */
export const ackWait = 10_000;
/** Messages that all processes together may hold. */
const mostHeld = 20_000;
/** Milliseconds that a consumer of a subscription that is not durable outlives its connection. */
const kept = 120_000;

/** A consumer on the server, and what it is for. */
export interface Source {
  readonly consumer: string;
  /** The first position that it gives. */
  readonly start: number;
  /** How many messages it has to give. */
  readonly pending: number;
  /** Of a durable subscription. */
  readonly record: SubscriptionRecord | undefined;
  /** Positions of which something was known when it was opened. */
  readonly known?: ReadonlySet<number>;
}

/** Makes a consumer for a subscription that is not durable, from `start` on. */
export async function passing(log: NatsLog, terms: Terms, start?: number): Promise<Source> {
  const first = start ?? (terms.backfill ? 1 : (await log.tip(undefined)) + 1);
  const consumer = `passing-${nuid.next()}`;
  const config = { ...configOf(log, terms, first), name: consumer, inactive_threshold: kept * 1e6, mem_storage: true };
  return { consumer, start: first, pending: await add(log, config), record: undefined };
}

/**
 * Finds the consumer of a durable subscription, or makes it; with `reset`, anew.
 *
 * @throws {InvalidArgumentError} if the subscription is stored with another selector.
 */
export async function durable(
  log: NatsLog,
  records: Records,
  terms: Terms,
  reset: boolean,
  logger: Logger | undefined,
): Promise<Source> {
  for (;;) {
    const stored = await records.peek(terms.name);
    if (stored !== undefined && !reset) checkSelector(terms, stored.record);
    const isNew = stored === undefined || reset;
    const next = isNew ? await fresh(log, terms) : { ...stored.record, options: optionsOf(terms) };
    const mine = await records.store(next, stored);
    if (mine === undefined) continue;
    if (isNew && stored !== undefined) {
      await remove(log, stored.record);
      await records.forgetAll(terms.name);
    } else if (stored !== undefined) report(stored, terms, logger);
    const source = await ensure(log, terms, mine.record, isNew ? undefined : logger);
    return { ...source, known: await records.knownPositions(mine.record) };
  }
}

/** Deletes the consumer of a durable subscription, if it is there. */
export async function remove(log: NatsLog, record: SubscriptionRecord): Promise<void> {
  await log.attempt(undefined, async () => {
    try {
      await log.jsm.consumers.delete(log.names.stream, consumerOf(record));
    } catch (error) {
      // Server 2.9 may fail to remove the folder of a consumer that it is writing; the consumer is gone all the same.
      const isGone = error instanceof Error && error.message.includes('directory not empty');
      if (!isGone && codeOf(error) !== codes.consumerNotFound) throw error;
    }
  });
}

async function fresh(log: NatsLog, terms: Terms): Promise<SubscriptionRecord> {
  const start = terms.backfill ? 1 : (await log.tip(undefined)) + 1;
  const { name, selector } = terms;
  return { name, selector: selector.text, options: optionsOf(terms), lastAcked: null, generation: nuid.next(), start };
}

function checkSelector({ name, selector }: Terms, stored: SubscriptionRecord): void {
  if (stored.selector === selector.text) return;
  const mend = 'choose another name, or reset it';
  throw new InvalidArgumentError('selector', `is ${stored.selector} in the stored subscription ${name}: ${mend}`);
}

function report({ record }: Kept, terms: Terms, logger: Logger | undefined): void {
  const changed = changedOptions(record.options, terms);
  if (changed.length === 0) return;
  logger?.info('a subscription goes on with other options', { subscription: terms.name, changed });
}

async function ensure(log: NatsLog, terms: Terms, record: SubscriptionRecord, logger?: Logger): Promise<Source> {
  const consumer = consumerOf(record);
  const start = firstOf(record);
  const config = { ...configOf(log, terms, start), durable_name: consumer };
  const found = await log.attempt(undefined, async () => {
    try {
      return await log.jsm.consumers.info(log.names.stream, consumer);
    } catch (error) {
      if (codeOf(error) === codes.consumerNotFound) return undefined;
      throw error;
    }
  });
  if (found === undefined) {
    const where = { subscription: terms.name, consumer, start };
    logger?.warn('the consumer of a subscription was deleted; it is made again where it is known to have been', where);
    return { consumer, start: record.start, pending: await add(log, config), record };
  }
  const { max_ack_pending } = config;
  if (found.config.max_ack_pending !== max_ack_pending) {
    await log.attempt(undefined, () => log.jsm.consumers.update(log.names.stream, consumer, { max_ack_pending }));
  }
  return { consumer, start: record.start, pending: found.num_pending, record };
}

/** Where a consumer that is lost is made again: behind what is known to be acknowledged. */
function firstOf({ start, lastAcked }: SubscriptionRecord): number {
  if (lastAcked === null) return start;
  const { seq, last } = decodeId(lastAcked);
  return Math.max(start, Math.floor(seq / maxCommit) + (last ? 1 : 0));
}

function consumerOf({ name, generation }: SubscriptionRecord): string {
  return `${encodeName(name)}-${generation}`;
}

function configOf(log: NatsLog, terms: Terms, start: number) {
  return {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: start,
    filter_subject: log.names.subject(terms.selector.text),
    ack_policy: AckPolicy.Explicit,
    ack_wait: ackWait * 1e6,
    max_deliver: -1,
    max_ack_pending: terms.serial ? 1 : mostHeld,
    replay_policy: ReplayPolicy.Instant,
  };
}

async function add(log: NatsLog, config: Partial<ConsumerConfig>): Promise<number> {
  const info = await log.attempt(undefined, () => log.jsm.consumers.add(log.names.stream, config));
  return info.num_pending;
}
