import { AckPolicy, DeliverPolicy, ReplayPolicy } from '@nats-io/jetstream';
import { errors, nuid } from '@nats-io/transport-node';
import type { Source } from './names.ts';
import type { NatsLog, Place } from './natslog.ts';

/** Milliseconds that the server has to make a consumer, at first: a cluster may choose a member for it that is down. */
export const firstAnswer = 1_000;
/** Milliseconds that the server keeps a consumer nobody asks. */
const kept = 60_000;

/** What to read. */
export interface Range {
  readonly source: Source;
  /** The first position; or a time in milliseconds. */
  readonly from: number | { readonly time: number };
  /** Only the headers. Default: false. */
  readonly headersOnly?: boolean;
}

/** Whether a range begins behind a message. */
export function precedes({ position, stored }: Place, from: Range['from']): boolean {
  return typeof from === 'number' ? position < from : stored < from.time;
}

/**
 * Makes a consumer that is lost with its server, for which the server has `within` milliseconds. Answers with its name,
 * and how many messages it has to hand over.
 */
export async function addConsumer({ jsm }: NatsLog, { source, from, headersOnly }: Range, within: number) {
  const name = nuid.next();
  const start =
    typeof from === 'number'
      ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(from.time).toISOString() };
  const adding = jsm.consumers.add(source.stream, {
    name,
    ...start,
    filter_subject: source.subject,
    ack_policy: AckPolicy.None,
    replay_policy: ReplayPolicy.Instant,
    inactive_threshold: kept * 1e6,
    mem_storage: true,
    num_replicas: 1,
    ...(headersOnly ? { headers_only: true } : {}),
  });
  return { name, pending: (await answered(adding, within)).num_pending };
}

/** Rejects where `answer` takes longer than so many milliseconds. */
async function answered<T>(answer: Promise<T>, within: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new errors.TimeoutError()), within);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
