import { background, type Context, withTimeout } from '@samovar/context';
import type { Conn } from '@samovar/eda';
import { type BackgroundService, type Logger, workContext } from '@samovar/server';
import { Backoff } from './backoff.ts';
import { isDone } from './done.ts';
import { Finder } from './finder.ts';
import { LeaseLostError, LeaseTaker } from './lease.ts';
import { Nudge } from './nudge.ts';
import type { Queue } from './queue.ts';
import { Stuck } from './stuck.ts';
import { Tenure } from './tenure.ts';
import type { Wakes } from './wakes.ts';

export interface RelayOptions {
  /** Milliseconds after which another process takes over from one that is gone. Default: 4,000. */
  readonly leaseMs?: number;
  /** Milliseconds between looks for what other processes have added. Default: 200. */
  readonly pollMs?: number;
}

const maxStreams = 512;
const maxRows = 2_000;
/** Of one stream at once, so that a few streams that hang do not take up all of them. */
const maxOfStream = 100;
/** Characters of events in memory: some have megabytes. One more row may begin while there is room. */
const maxCharacters = 16 * 1024 * 1024;
/** How long a stream that is through waits for others, to be stored with them. */
const gatherMs = 10;
const pauseMs = 1_000;
const farewellMs = 1_000;

/**
 * Sends the outbox's rows to their streams. Of all processes with one database one sends, the holder of the lease; it
 * gives the lease up when it has nothing to do for a while, so that an idle outbox writes nothing.
 */
export class Relay implements BackgroundService {
  readonly name = 'outbox relay';
  readonly #queue: Queue;
  readonly #conn: Conn;
  readonly #logger: Logger;
  readonly #wakes: Wakes;
  readonly #idleMs: number;
  readonly #leases: LeaseTaker;
  readonly #finder: Finder;
  readonly #stuck: Stuck;
  readonly #nudge = new Nudge();
  #tenure: Tenure | undefined;
  #lastWork = 0;

  constructor(queue: Queue, conn: Conn, logger: Logger, wakes: Wakes, options: RelayOptions = {}) {
    const { leaseMs = 4_000, pollMs = 200 } = options;
    this.#queue = queue;
    this.#conn = conn;
    this.#logger = logger;
    this.#wakes = wakes;
    this.#idleMs = leaseMs;
    this.#leases = new LeaseTaker(queue, leaseMs);
    const backoff = new Backoff();
    this.#finder = new Finder(queue, backoff, pollMs);
    this.#stuck = new Stuck(backoff, this.#finder, logger);
    const hint = (stream: string) => {
      this.#finder.hint(stream);
      this.#nudge.nudge();
    };
    wakes.listen(hint, (stream) => {
      backoff.clear(stream);
      hint(stream);
    });
  }

  isDisabled(): boolean {
    return false;
  }

  async run(ctx: Context): Promise<void> {
    const work = ctx.value(workContext);
    const onDone = () => this.#nudge.nudge();
    ctx.signal.addEventListener('abort', onDone, { once: true });
    let failing = false;
    while (!isDone(ctx)) {
      try {
        await this.#turn(work);
        failing = false;
        await this.#rest();
      } catch (error) {
        this.#endTenure();
        if (error instanceof LeaseLostError) {
          this.#logger.info('the outbox relay has lost its lease');
          continue;
        }
        if (!failing) this.#logger.warn('the outbox cannot be read or changed; it is tried again', { err: error });
        failing = true;
        await this.#nudge.wait(pauseMs);
      }
    }
    ctx.signal.removeEventListener('abort', onDone);
    await this.#finish(work).catch((error: unknown) =>
      this.#logger.warn('the outbox relay did not stop cleanly; what it sent is looked for at its next start', {
        err: error,
      }),
    );
    this.#endTenure();
  }

  /** Stores what is through, and starts what was found. */
  async #turn(ctx: Context): Promise<void> {
    await this.#advance(ctx);
    const { streams: room, rows: rowsLeft, characters } = this.#room;
    if (this.#isFull || !this.#finder.isBehind) return;
    const limit = Math.min(room, rowsLeft);
    const streams = await this.#finder.find(ctx, limit, (stream) => this.#tenure?.isBusy(stream) ?? false);
    if (streams.length === 0) return;
    const tenure = await this.#hold(ctx);
    if (tenure === undefined) return this.#finder.standBy();
    this.#lastWork = performance.now();
    const each = Math.min(maxOfStream, Math.max(1, Math.floor(rowsLeft / streams.length)));
    const { rows, left } = await this.#queue.rows(ctx, streams, each, characters);
    for (const stream of left) this.#finder.hint(stream);
    tenure.start(this.#stuck.triable(rows));
  }

  /** What more may be under way. */
  get #room() {
    const { size = 0, rows = 0, characters = 0 } = this.#tenure ?? {};
    return { streams: maxStreams - size, rows: maxRows - rows, characters: maxCharacters - characters };
  }

  get #isFull(): boolean {
    const { streams, rows, characters } = this.#room;
    return Math.min(streams, rows, characters) <= 0;
  }

  async #hold(ctx: Context): Promise<Tenure | undefined> {
    if (this.#tenure !== undefined) return this.#tenure;
    const lease = await this.#leases.take(ctx);
    if (lease === undefined) return undefined;
    this.#tenure = new Tenure(ctx, lease, this.#queue, this.#conn, () => this.#nudge.nudge());
    return this.#tenure;
  }

  async #advance(ctx: Context): Promise<void> {
    const tenure = this.#tenure;
    if (tenure === undefined) return;
    if (tenure.lease.remaining === 0) throw new LeaseLostError();
    if (tenure.ready > 0) {
      await this.#gather(tenure);
      this.#lastWork = performance.now();
      await tenure.store(ctx, this.#stuck);
      this.#stuck.log();
      this.#wakes.gone();
    } else if (tenure.size === 0 && performance.now() - this.#lastWork > this.#idleMs) {
      await this.#leave(ctx);
    } else if (tenure.lease.untilBeat === 0) {
      await tenure.store(ctx, this.#stuck);
    }
  }

  /** Gives streams that are about to be through the time to be stored with those that are. */
  async #gather(tenure: Tenure): Promise<void> {
    const until = performance.now() + gatherMs;
    for (let left = gatherMs; tenure.ready < tenure.size && left > 0; left = until - performance.now()) {
      await this.#nudge.wait(left);
    }
  }

  async #rest(): Promise<void> {
    const tenure = this.#tenure;
    if (tenure !== undefined && tenure.ready > 0) return;
    const isFull = this.#isFull;
    if (this.#finder.isBehind && !isFull) return;
    await this.#nudge.wait(Math.min(isFull ? Infinity : this.#finder.untilLook, tenure?.lease.untilBeat ?? Infinity));
  }

  /** Lets what is under way come to its end, and gives the lease up. */
  async #finish(work: Context): Promise<void> {
    const onDone = () => this.#nudge.nudge();
    work.signal.addEventListener('abort', onDone, { once: true });
    while (this.#tenure !== undefined && this.#tenure.size > 0 && !isDone(work)) {
      await this.#advance(work);
      if (this.#tenure.ready === 0 && this.#tenure.size > 0) await this.#nudge.wait(this.#tenure.lease.untilBeat);
    }
    work.signal.removeEventListener('abort', onDone);
    using scope = withTimeout(background, farewellMs);
    await this.#leave(scope.ctx);
  }

  async #leave(ctx: Context): Promise<void> {
    const tenure = this.#tenure;
    this.#endTenure();
    if (tenure !== undefined) await this.#queue.freeLease(ctx, tenure.lease);
  }

  /** Who sends next looks at all streams: those told of may be under way, or forgotten. */
  #endTenure(): void {
    this.#tenure?.end();
    this.#tenure = undefined;
    this.#finder.lookAgain();
  }
}
