import { LogUnavailableError } from '@samovar/eda';
import { encodeName, type Source } from '../names.ts';
import type { NatsLog } from '../natslog.ts';
import type { Pulled } from '../puller.ts';
import { Scan } from '../scan.ts';
import { Kept, type SubscriptionRecord } from './kept.ts';
import type { Entry } from './segments.ts';

/** Milliseconds until it is looked whether what should come is there still, until it is asked for anew, and given up. */
const lookTime = 500;
const restartTime = 2_000;
const patience = 15_000;

/** What this process has of the durable subscriptions in the bucket: followed from the first question on. */
export class Mirror {
  readonly #log: NatsLog;
  readonly #source: Source;
  readonly #byKey = new Map<string, Kept>();
  readonly #byName = new Map<string, Kept>();
  readonly #waiting = new Set<() => void>();
  #scan: Scan | undefined;
  /** The last revision of the bucket that has come. */
  #cursor = 0;

  constructor(log: NatsLog) {
    this.#log = log;
    this.#source = log.names.kept('subscriptions.>');
  }

  get all(): Iterable<Kept> {
    return this.#byKey.values();
  }

  of(name: string): Kept {
    const kept = this.#byName.get(name) ?? this.#of(encodeName(name));
    this.#byName.set(name, kept);
    return kept;
  }

  /** Resolves when everything that is stored now has come. @throws {LogUnavailableError} after `within` milliseconds. */
  async ready(within = patience): Promise<void> {
    await this.#log.bucket();
    this.#scan ??= this.#follow();
    const until = performance.now() + within;
    for (let to = await this.#last(within); ; ) {
      await this.#come(to, until);
      const behind = [...this.all].filter(({ isBehind }) => isBehind);
      if (behind.length === 0) return;
      to = await this.#last(within);
      if (to <= this.#cursor) return this.#showIncomplete(behind);
    }
  }

  close(): void {
    this.#scan?.close();
  }

  #of(key: string): Kept {
    const kept = this.#byKey.get(key) ?? new Kept();
    this.#byKey.set(key, kept);
    return kept;
  }

  #last(within: number): Promise<number> {
    return this.#log.lastPosition(undefined, this.#source, within);
  }

  #follow(): Scan {
    const scan = new Scan(this.#log, { source: this.#source, from: 1 }, () => {
      for (let message = scan.peek(); message !== undefined; message = scan.peek()) {
        scan.skip();
        this.#take(message);
      }
      for (const wake of this.#waiting) wake();
    });
    scan.begin();
    return scan;
  }

  /** Resolves when what is stored up to this revision has come, as far as it is there still. */
  async #come(to: number, until: number): Promise<void> {
    let restart = performance.now() + restartTime;
    for (let last = to; this.#cursor < Math.min(last, to); ) {
      if (performance.now() > until) throw new LogUnavailableError('what is stored of subscriptions does not come');
      await this.#change();
      if (this.#cursor >= to) return;
      last = await this.#last(Math.max(0, until - performance.now()));
      if (performance.now() < restart) continue;
      await this.#scan?.restart();
      restart = performance.now() + restartTime;
    }
  }

  /** Resolves when something comes, or after some time. */
  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, lookTime);
      this.#waiting.add(wake);
    });
  }

  #take({ position: revision, msg }: Pulled): void {
    this.#cursor = revision;
    const [key = '', kind, id = ''] = msg.subject.slice(this.#source.subject.length - 1).split('.');
    try {
      const value = msg.data.length === 0 ? null : msg.json<unknown>();
      const kept = this.#of(key);
      if (kind === 'record') kept.put(revision, (value as SubscriptionRecord | null) ?? undefined);
      else if (kind === 'parked') kept.putSegment(id, { revision, entries: value as Entry[] });
    } catch (error) {
      this.#log.logger?.error('what is stored of a subscription cannot be read', { key: msg.subject, err: error });
    }
  }

  /** Somebody has deleted what nobody but the owner of a subscription may delete. */
  #showIncomplete(behind: readonly Kept[]): void {
    for (const kept of behind) {
      const { missing } = kept;
      kept.show();
      const fields = { subscription: kept.record?.name, missing };
      this.#log.logger?.error('some of what a subscription has parked was deleted from the bucket', fields);
    }
  }
}
