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
import { Alarm } from './alarm.ts';
import { backoff } from './backoff.ts';
import type { Claimant } from './claims.ts';
import type { Host } from './host.ts';
import { asError, isStale } from './outcome.ts';
import type { Process } from './process.ts';
import { Progress } from './progress.ts';
import { Run } from './run.ts';

/** For how many claims the worker that an activity is at home with goes first. */
const courtesy = 3;

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
  #progress = new Progress();
  #alarm: Alarm | undefined;
  /** For how many claims more the worker goes first that this is at home with; 0: this one, or that leaves it. */
  #courtesy = 0;
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
    const nextRun = this.#alarm?.at ?? (this.#state === 'sleeping' ? this.#host.policy.nextTick() : undefined);
    return {
      activity: this.activity,
      state: this.#state,
      tail: this.#tail,
      attempts: this.#progress.attempts,
      lastError: this.#progress.lastError,
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

  /** The workers are others now. What is at home with one of them is left to it, and kept if that one leaves it. */
  rehome(): void {
    this.#courtesy = this.#host.homes.has(this.activity) ? 0 : courtesy;
    // A run that ends by itself is left to do so.
    if (this.#courtesy > 0 && this.#host.policy.watch) this.#run?.cancel();
    this.#leaveIfAway();
  }

  /** This worker was held to be dead: what it had is free. A run that is under way finds that out. */
  forfeit(): void {
    if (this.#isIdle) this.#lose();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** What is under way does not count any more. */
  abandon(): void {
    if (this.#state !== 'completed' && this.#state !== 'stopped') this.#end('stopped');
  }

  /** Whether it has its lease, and does not run. */
  get #isIdle(): boolean {
    return this.#state === 'sleeping' || this.#state === 'ready' || this.#state === 'retrying';
  }

  async #claim(ctx: Context): Promise<void> {
    if (this.#courtesy > 0) {
      this.#courtesy--;
      this.#host.claims.wait(this);
      return;
    }
    const lease = await this.#host.claims.claim(ctx, this.activity);
    if (this.#state !== 'waiting') return;
    this.#lease = lease?.isCompleted ? undefined : lease;
    if (lease === undefined) {
      if (this.#stopping === undefined) this.#host.claims.wait(this);
      return;
    }
    this.#tail = lease.tail;
    this.#progress = new Progress(lease.tail);
    if (lease.isCompleted) this.#end('completed');
    else if (this.#stopping !== undefined) return;
    else if (this.#courtesy > 0) await this.#leave();
    else {
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
    this.#leaveIfAway();
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
    this.#progress.fail(asError(error));
    this.#log('the tail of an activity cannot be stored', error);
    this.#retry(undefined);
  }

  #lose(): void {
    this.#unschedule();
    this.#lease = undefined;
    this.#unstored = undefined;
    this.#progress = new Progress();
    if (this.#stopping !== undefined) return;
    this.#state = 'waiting';
    this.#host.claims.wait(this);
  }

  #leaveIfAway(): void {
    if (!this.#isIdle || this.#courtesy === 0 || this.#unstored !== undefined || this.#stopping !== undefined) return;
    void this.#while(this.#leave());
  }

  /** Leaves the lease to the worker that this is at home with. */
  async #leave(): Promise<void> {
    this.#unschedule();
    this.#state = 'waiting';
    await this.#giveBack();
    this.#lose();
  }

  #settle(outcome: Outcome): void {
    this.#progress.note(outcome);
    switch (outcome.kind) {
      case 'completed':
        this.#end('completed');
        break;
      case 'endOfStream':
        this.#sleep();
        break;
      case 'canceled':
        this.#retry(undefined);
        break;
      case 'retry':
        if (!isSilentRetry(outcome.error)) this.#log('an activity has failed', outcome.error);
        this.#retry(retryAfter(outcome.error));
    }
  }

  #sleep(): void {
    if (this.#stopping !== undefined) return;
    const pause = this.#isWoken ? 0 : this.#host.policy.pause(this.#progress.idle);
    this.#state = 'sleeping';
    if (pause !== undefined) this.#enqueueAt(this.#host.clock.now() + pause);
  }

  #retry(after: Date | undefined): void {
    if (this.#stopping !== undefined) return;
    const now = this.#host.clock.now();
    const wanted = after?.getTime() ?? now;
    this.#state = 'retrying';
    this.#enqueueAt(wanted > now ? wanted : now + backoff(this.#progress.attempts));
  }

  #enqueueAt(at: number): void {
    const { clock } = this.#host;
    if (at <= clock.now()) this.#enqueue();
    else this.#alarm = new Alarm(clock, at, () => this.#enqueue());
  }

  #unschedule(): void {
    this.#alarm?.[Symbol.dispose]();
    this.#alarm = undefined;
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
    return { activity: name, stream: entityStream(entity), attempts: this.#progress.attempts, err };
  }
}
