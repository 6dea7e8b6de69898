import {
  type ActivityHandle,
  type ActivityKey,
  type ActivityState,
  type ActivityStatus,
  entityStream,
  isSilentRetry,
  type Lease,
  type Outcome,
  retryAfter,
  type Tail,
} from '@samovar/activity';
import { background, type Context } from '@samovar/context';
import { backoff } from './backoff.ts';
import type { Claimant } from './claims.ts';
import type { Host } from './host.ts';
import { asError, isStale } from './outcome.ts';
import type { Process } from './process.ts';
import { Run } from './run.ts';

/** Timers are set for no longer, so that one for a time of day is right again after a jump of the clock. */
const longestTimer = 60_000;

/**
 * One activity that was started. Its states are those of {@link ActivityState}; whatever it waits for calls `claim` or
 * `wake`. Asleep, it is this object and no more, as there may be a hundred thousand.
 */
export class Task implements ActivityHandle, Claimant {
  readonly activity: ActivityKey;
  readonly #host: Host;
  readonly #process: Process;
  #state: ActivityState = 'waiting';
  #lease: Lease | undefined;
  /** As stored. */
  #tail: Tail = null;
  /** The furthest that it has ever been here: what goes back over it is no progress. */
  #furthest: Tail = null;
  #attempts = 0;
  /** Ends of the stream in a row, without progress. */
  #idle = 0;
  #lastError: Error | undefined;
  #nextRun: number | undefined;
  #timer: Disposable | undefined;
  /** The claim or run that is under way. */
  #busy: Promise<void> | undefined;
  #run: Run | undefined;
  /** Whether it was woken since the run began. */
  #isWoken = false;
  /** How the last run has ended, as long as that is not stored. */
  #unstored: Outcome | undefined;
  #stopping: Promise<void> | undefined;
  #ended: PromiseWithResolvers<'completed' | 'stopped'> | undefined;

  constructor(host: Host, activity: ActivityKey, process: Process) {
    this.#host = host;
    this.activity = activity;
    this.#process = process;
  }

  get state(): ActivityState {
    return this.#state;
  }

  get tail(): Tail {
    return this.#tail;
  }

  /** Settles when nothing is under way; undefined: nothing is. */
  get busy(): Promise<void> | undefined {
    return this.#busy;
  }

  get ended(): Promise<'completed' | 'stopped'> {
    this.#ended ??= Promise.withResolvers();
    if (this.#state === 'completed' || this.#state === 'stopped') this.#ended.resolve(this.#state);
    return this.#ended.promise;
  }

  status(): ActivityStatus {
    const nextRun = this.#state === 'sleeping' ? (this.#nextRun ?? this.#host.policy.nextTick()) : this.#nextRun;
    return {
      activity: this.activity,
      state: this.#state,
      tail: this.#tail,
      attempts: this.#attempts,
      lastError: this.#lastError,
      nextRun: nextRun === undefined ? undefined : new Date(nextRun),
    };
  }

  /** Takes the lease, or waits for it. Never rejects. */
  claim(ctx: Context = background): Promise<void> {
    return this.#while(this.#claim(ctx));
  }

  /** There is something to do. While it runs, that may be in what it reads, or not: it is run once more. */
  wake(): void {
    if (this.#state === 'sleeping') this.#enqueue();
    else if (this.#state === 'running') this.#isWoken = true;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** What is under way does not count any more. */
  abandon(): void {
    if (this.#state !== 'completed' && this.#state !== 'stopped') this.#end('stopped');
  }

  async #claim(ctx: Context): Promise<void> {
    const lease = await this.#host.claims.claim(ctx, this.activity);
    if (this.#state !== 'waiting') return;
    this.#lease = lease?.isCompleted ? undefined : lease;
    if (lease === undefined) {
      if (this.#stopping === undefined) this.#host.claims.wait(this);
      return;
    }
    this.#tail = lease.tail;
    this.#furthest = lease.tail;
    if (lease.isCompleted) this.#end('completed');
    else if (this.#stopping === undefined) {
      this.#state = 'sleeping';
      this.#host.policy.claimed(this);
    }
  }

  #enqueue(): void {
    this.#unschedule();
    this.#state = 'ready';
    void this.#while(this.#host.inTurn(this.activity.entity.kind, () => this.#runInTurn()));
  }

  async #runInTurn(): Promise<void> {
    if (this.#state !== 'ready' || this.#lease === undefined || this.#stopping !== undefined) return;
    this.#state = 'running';
    this.#unstored ??= await this.#runOnce(this.#lease);
    if (this.#state !== 'running') return;
    const outcome = this.#unstored;
    if (outcome === undefined) {
      this.#lose();
      return;
    }
    try {
      await this.#store(this.#lease, outcome);
    } catch (error) {
      if (this.#state === 'running') this.#notStored(error);
      return;
    }
    if (this.#state === 'running') this.#settle(outcome);
  }

  /** undefined: the lease was lost meanwhile. */
  async #runOnce(lease: Lease): Promise<Outcome | undefined> {
    this.#isWoken = false;
    this.#run = new Run(this.#host, lease, this.#tail);
    const outcome = await this.#run.outcome(this.#process);
    this.#run = undefined;
    return outcome;
  }

  async #store(lease: Lease, { kind, tail }: Outcome): Promise<void> {
    if (kind === 'completed') await this.#host.leases.complete(background, lease, tail);
    else if (tail !== this.#tail) await this.#host.leases.storeTail(background, lease, tail);
    this.#tail = tail;
    this.#unstored = undefined;
  }

  #notStored(error: unknown): void {
    if (isStale(error)) {
      this.#lose();
      return;
    }
    this.#attempts++;
    this.#lastError = asError(error);
    this.#log('the tail of an activity cannot be stored', this.#lastError);
    this.#retry(undefined);
  }

  #lose(): void {
    this.#lease = undefined;
    this.#unstored = undefined;
    if (this.#stopping !== undefined) return;
    this.#state = 'waiting';
    this.#host.claims.wait(this);
  }

  #settle(outcome: Outcome): void {
    const hasProgressed = outcome.tail !== null && (this.#furthest === null || outcome.tail > this.#furthest);
    if (hasProgressed) this.#furthest = outcome.tail;
    if (hasProgressed || outcome.kind === 'endOfStream') {
      this.#attempts = 0;
      this.#lastError = undefined;
    }
    switch (outcome.kind) {
      case 'completed':
        this.#end('completed');
        break;
      case 'endOfStream':
        this.#idle = hasProgressed ? 0 : this.#idle + 1;
        this.#sleep();
        break;
      case 'canceled':
        this.#attempts++;
        this.#retry(undefined);
        break;
      case 'retry':
        this.#attempts++;
        this.#lastError = outcome.error;
        if (!isSilentRetry(outcome.error)) this.#log('an activity has failed', outcome.error);
        this.#retry(retryAfter(outcome.error));
    }
  }

  #sleep(): void {
    if (this.#stopping !== undefined) return;
    const pause = this.#isWoken ? 0 : this.#host.policy.pause(this.#idle);
    this.#state = 'sleeping';
    if (pause !== undefined) this.#schedule(this.#host.clock.now() + pause);
  }

  #retry(after: Date | undefined): void {
    if (this.#stopping !== undefined) return;
    const now = this.#host.clock.now();
    const wanted = after?.getTime() ?? now;
    this.#state = 'retrying';
    this.#schedule(wanted > now ? wanted : now + backoff(this.#attempts));
  }

  #schedule(at: number): void {
    this.#nextRun = at;
    const left = at - this.#host.clock.now();
    if (left <= 0) this.#enqueue();
    else this.#timer = this.#host.clock.after(Math.min(left, longestTimer), () => this.#schedule(at));
  }

  #unschedule(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#nextRun = undefined;
  }

  async #stop(): Promise<void> {
    this.#host.claims.forget(this);
    this.#unschedule();
    this.#run?.cancel();
    // One that is ready may have to wait long for its turn, and will not take it.
    if (this.#state !== 'ready') await Promise.race([this.#busy, this.ended]);
    await this.#giveBack();
    this.abandon();
    this.#host.forget(this);
  }

  async #giveBack(): Promise<void> {
    const lease = this.#lease;
    if (lease === undefined || this.#state === 'completed' || this.#state === 'stopped') return;
    try {
      const unstored = this.#unstored;
      if (unstored !== undefined) await this.#store(lease, unstored);
      if (unstored?.kind === 'completed') this.#end('completed');
      else await this.#host.leases.release(background, lease);
    } catch (error) {
      // It runs out by itself. There may be very many, and all fail when the way to their leases does.
      if (!isStale(error)) this.#host.logger.debug('the lease of an activity cannot be given back', this.#about(error));
    }
  }

  #end(state: 'completed' | 'stopped'): void {
    this.#unschedule();
    this.#state = state;
    this.#lease = undefined;
    this.#ended?.resolve(state);
  }

  /** Keeps what is under way for whoever waits for its end. */
  #while(busy: Promise<void>): Promise<void> {
    const done = busy.then(() => {
      if (this.#busy === done) this.#busy = undefined;
    });
    this.#busy = done;
    return done;
  }

  #log(message: string, err: unknown): void {
    this.#host.logger.warn(message, this.#about(err));
  }

  #about(err: unknown): Readonly<Record<string, unknown>> {
    const { entity, name } = this.activity;
    return { activity: name, stream: entityStream(entity), attempts: this.#attempts, err };
  }
}
