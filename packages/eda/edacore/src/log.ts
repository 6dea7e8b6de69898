import { randomUUID } from 'node:crypto';
import type { Handler, Logger, SubscriptionOptions } from '@samovar/eda';
import type { Backend } from './backend.ts';
import { Group } from './delivery/group.ts';
import type { Member } from './delivery/member.ts';
import { checkSameTerms, checkTerms, type Terms } from './delivery/options.ts';
import { LocalBackend } from './local/localbackend.ts';
import type { LocalLog } from './local/locallog.ts';

/** A log that is open in this process, with the subscriptions that its connections share. */
export class Log {
  readonly backend: Backend;
  readonly #owner = randomUUID();
  readonly #groups = new Map<string, Group>();
  readonly #onUnused: () => void;
  #connections = 0;

  /** `onUnused` is called when the last connection lets go, before the backend closes. */
  constructor(backend: Backend, onUnused: () => void = () => {}) {
    this.backend = backend;
    this.#onUnused = onUnused;
  }

  connected(): void {
    this.#connections++;
  }

  async disconnected(): Promise<void> {
    if (--this.#connections > 0) return this.backend.drained();
    this.#onUnused();
    await this.backend.close();
  }

  /** @throws as `Conn.subscribe` says. */
  async subscribe(
    selector: string,
    handle: Handler,
    options: SubscriptionOptions | undefined,
    logger: Logger | undefined,
  ): Promise<{ readonly group: Group; readonly member: Member }> {
    const terms = checkTerms(selector, options);
    for (let closing = this.#groups.get(terms.name)?.closing; closing !== undefined; ) {
      await closing;
      closing = this.#groups.get(terms.name)?.closing;
    }
    const group = this.#groups.get(terms.name) ?? this.#open(terms);
    checkSameTerms(terms, group.terms);
    return { group, member: await group.join(handle, logger, options?.reset ?? false) };
  }

  /** Something is requested of parked events of this subscription. */
  requested(name: string): void {
    this.#groups.get(name)?.lookAtRequests();
  }

  #open(terms: Terms): Group {
    const group = new Group(this.backend, terms, this.#owner, () => this.#groups.delete(terms.name));
    this.#groups.set(terms.name, group);
    return group;
  }
}

/** The logs that this process has open itself, by what tells one from another. */
export class OpenLogs<Key> {
  readonly #logs = new Map<Key, Log>();

  /** The log of `key`, opened if it is not open. */
  get(key: Key, open: () => LocalLog): Log {
    let log = this.#logs.get(key);
    if (log === undefined) {
      log = new Log(new LocalBackend(open()), () => this.#logs.delete(key));
      this.#logs.set(key, log);
    }
    return log;
  }
}
