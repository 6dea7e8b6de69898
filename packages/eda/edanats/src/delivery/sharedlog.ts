import { type Handler, type Logger, type SubscriptionOptions, UnsupportedError } from '@samovar/eda';
import { checkSameTerms, checkTerms, type Member, type Terms } from '@samovar/edacore';
import type { NatsLog } from '../natslog.ts';
import { Group } from './group.ts';
import { Records } from './records.ts';

/** A log that is open in this process, with the subscriptions that its connections share. */
export class SharedLog {
  readonly log: NatsLog;
  readonly records: Records;
  readonly #groups = new Map<string, Group>();
  readonly #onUnused: () => void;
  #connections = 0;
  #isClosed = false;

  /** `onUnused` is called when the last connection lets go. */
  constructor(log: NatsLog, onUnused: () => void) {
    this.log = log;
    this.records = new Records(log);
    this.#onUnused = onUnused;
  }

  /** Whether another connection may use it. */
  connected(): boolean {
    if (this.#isClosed) return false;
    this.#connections++;
    return true;
  }

  async disconnected(): Promise<void> {
    if (--this.#connections > 0) return;
    this.#isClosed = true;
    this.#onUnused();
    await this.log.close();
  }

  /** @throws as `Conn.subscribe` says. */
  async subscribe(
    selector: string,
    handle: Handler,
    options: SubscriptionOptions | undefined,
    logger: Logger | undefined,
  ): Promise<{ readonly group: Group; readonly member: Member }> {
    const terms = checkTerms(selector, options);
    checkSupported(options);
    for (let closing = this.#groups.get(terms.name)?.closing; closing !== undefined; ) {
      await closing;
      closing = this.#groups.get(terms.name)?.closing;
    }
    const group = this.#groups.get(terms.name) ?? this.#open(terms);
    checkSameTerms(terms, group.terms);
    return { group, member: await group.join(handle, logger, options?.reset ?? false) };
  }

  #open(terms: Terms): Group {
    const group = new Group(this.log, this.records, terms, () => this.#groups.delete(terms.name));
    this.#groups.set(terms.name, group);
    return group;
  }
}

function checkSupported({ keyBy, maxDeliver = Number.POSITIVE_INFINITY }: SubscriptionOptions = {}): void {
  if (keyBy !== undefined)
    throw new UnsupportedError('keyBy is not available on NATS yet: use serial, or a log on SQLite');
  if (maxDeliver !== Number.POSITIVE_INFINITY) {
    throw new UnsupportedError('maxDeliver is not available on NATS yet: events are tried for ever');
  }
}
