import type { Context } from '@samovar/context';
import { maxCommit, type Seq, type Waiters } from '@samovar/edacore';
import type { NatsLog } from '../natslog.ts';
import type { Delivering } from './delivering.ts';

/** Milliseconds between questions to the server while somebody waits: at least, and when nothing happens here. */
const least = 2;
const most = 50;

/** Finds out how far a subscription has come, in all processes together, while somebody waits for that. */
export class Progress {
  readonly #log: NatsLog;
  readonly #selector: string;
  readonly #waiters: Waiters;
  readonly #delivering: () => Delivering | undefined;
  #target: Seq = 0;
  #running = false;
  #wake: (() => void) | undefined;

  constructor(log: NatsLog, selector: string, waiters: Waiters, delivering: () => Delivering | undefined) {
    this.#log = log;
    this.#selector = selector;
    this.#waiters = waiters;
    this.#delivering = delivering;
  }

  /** Resolves when every matching event up to `target` is acknowledged. */
  async reach(ctx: Context, owner: object, target: Seq): Promise<void> {
    this.#target = Math.max(this.#target, target);
    const reached = this.#waiters.wait(ctx, owner, target);
    void this.#run();
    await reached;
  }

  /** Something was acknowledged here. */
  poke(): void {
    const { source, firstUnacked } = (this.#waiters.any && this.#delivering()) || {};
    // Nobody else takes from the consumer of a subscription that is not durable.
    if (source?.record === undefined && firstUnacked !== undefined) this.#waiters.reached(firstUnacked - 1);
    this.#wake?.();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    while (this.#waiters.any) {
      const timer = new Promise((resolve) => setTimeout(resolve, least));
      await this.#look().catch(() => {});
      await timer;
      if (this.#waiters.any) await this.#pause();
    }
    this.#running = false;
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, most);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  async #look(): Promise<void> {
    const delivering = this.#delivering();
    if (delivering === undefined) return;
    const { source, held, firstUnacked } = delivering;
    const [count, target] = [held.size, this.#target];
    const last = await this.#log.lastPosition(undefined, this.#selector);
    const { stream } = this.#log.names;
    const info = await this.#log.jsm.consumers.info(stream, source.consumer);
    if (delivering !== this.#delivering()) return;
    const floor = info.ack_floor.stream_seq;
    if (last < source.start || floor >= last) this.#waiters.reached(target);
    // All that the server waits for is held here, so what comes before it is acknowledged or was never to come.
    else if (firstUnacked !== undefined && info.num_ack_pending === count) this.#waiters.reached(firstUnacked - 1);
    this.#waiters.reached((floor + 1) * maxCommit - 1);
  }
}
