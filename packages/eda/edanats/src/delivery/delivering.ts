import type { EventId, Logger } from '@samovar/eda';
import { type Members, maxCommit, type Seq, type Terms } from '@samovar/edacore';
import { codeOf, codes } from '../errors.ts';
import { eventsOf } from '../event.ts';
import type { NatsLog } from '../natslog.ts';
import { type Pulled, Puller } from '../puller.ts';
import { ackWait, type Source } from './consumers.ts';
import { Dispatcher } from './dispatcher.ts';
import { type Delivery, Held, HeldMessage } from './held.ts';
import type { Records, SubscriptionRecord } from './records.ts';

/** Milliseconds until the server has to confirm what a closing subscription has told it. */
const confirmation = 3_000;

/** What a delivery tells the group it works for. */
export interface DeliveringEvents {
  /** An event was acknowledged. */
  onProgress(): void;
  /** The consumer is gone. */
  onGone(): void;
}

/** Takes what one consumer gives and hands it to the members of a subscription. */
export class Delivering {
  readonly source: Source;
  readonly held: Held;
  readonly dispatcher: Dispatcher;
  readonly #log: NatsLog;
  readonly #records: Records;
  readonly #logger: () => Logger | undefined;
  readonly #on: DeliveringEvents;
  readonly #puller: Puller;
  readonly #isSerial: boolean;
  /** Events to have at hand. */
  readonly #room: number;
  readonly #stopListening: () => void;
  readonly #keepAlive: NodeJS.Timeout;
  /** What was taken from the server is looked at in this order. */
  #taking: Promise<void> | undefined;
  /** Messages up to this position have come before: what is not held of them is done. */
  readonly #done: number;
  #high = 0;
  #pending: number;
  #lastReply = '';
  #stopped = false;
  #lost = false;

  /** Goes on, with `before`, where a lost consumer of a subscription that is not durable has stopped. */
  constructor(
    parts: { log: NatsLog; records: Records; terms: Terms; members: Members; logger: () => Logger | undefined },
    source: Source,
    on: DeliveringEvents,
    before?: Delivering,
  ) {
    const { log, records, terms, members, logger } = parts;
    this.#log = log;
    this.#records = records;
    this.#logger = logger;
    this.#on = on;
    this.source = source;
    this.#pending = source.pending;
    this.#done = before?.high ?? 0;
    this.held = before?.held ?? new Held(source.record?.lastAcked ?? null);
    this.dispatcher =
      before?.dispatcher ??
      new Dispatcher(terms, members, ({ message, event }) => log.erasures.has(event.stream, message.position));
    this.dispatcher.serve(
      (delivery) => this.#acknowledge(delivery),
      () => this.#ask(),
    );
    this.#isSerial = terms.serial;
    this.#room = terms.serial ? 1 : Math.min(512, Math.max(64, 2 * terms.concurrency));
    this.#puller = new Puller(log.nc, log.names.stream, source.consumer, {
      onMessage: (message) => this.#take(message),
      onRelease: () => this.#ask(),
      onSilence: () => void this.#check(),
      onGone: () => this.#gone(),
    });
    this.#stopListening = log.onReconnect(() => this.#puller.reconnected());
    this.#keepAlive = setInterval(() => this.#extend(), ackWait / 4);
    this.#ask();
  }

  /** The last position that has come. */
  get high(): number {
    return Math.max(this.#done, this.#high);
  }

  /** The position from which on something is not acknowledged. */
  get next(): number {
    const first = this.held.firstUnacked;
    return first === undefined ? Math.max(this.high + 1, this.source.start) : Math.floor(first / maxCommit);
  }

  /** Events that are not acknowledged, and commits that have not come. */
  get lag(): number {
    return this.held.unacked + this.#pending;
  }

  get lastAcked(): EventId | null {
    return this.held.lastAcked;
  }

  /** The first event that is held and not acknowledged. */
  get firstUnacked(): Seq | undefined {
    return this.held.firstUnacked;
  }

  /** Takes and hands out nothing new. Handlers that are running may finish and are acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.dispatcher.stop();
    await this.#puller.stop();
  }

  /** Lets everything go, as the consumer is not there any more, or not to be used. */
  lose(): void {
    this.#lost = true;
    this.#stopped = true;
    this.#free();
    this.#puller.abandon();
  }

  /** Gives what is left back to the server, for others. Resolves when the server has taken notice of it all. */
  async finish(): Promise<void> {
    await this.#taking;
    clearInterval(this.#keepAlive);
    try {
      if (!this.#lost) await this.#giveBack();
    } finally {
      this.lose();
    }
  }

  #free(): void {
    clearInterval(this.#keepAlive);
    this.#stopListening();
  }

  #ask(): void {
    // What is asked for and cannot come would stand in the way when a message is given back.
    if (this.#stopped || (this.#isSerial && this.held.size > 0)) return;
    const ahead = this.dispatcher.backlog + this.#puller.outstanding;
    if (ahead <= this.#room / 2) this.#puller.ask(this.#room - ahead);
  }

  #take(message: Pulled): void {
    if (this.#lost) return;
    this.#pending = message.pending;
    this.#high = Math.max(this.#high, message.position);
    const { record } = this.source;
    // Somebody may have left what is known of it.
    const isAgain = message.deliveries > 1 || this.source.known?.has(message.position) === true;
    const asks = isAgain && record !== undefined && this.held.get(message.position) === undefined;
    if (asks || this.#taking !== undefined) this.#takeInTurn(message, asks ? record : undefined);
    else this.#hold(message);
  }

  #takeInTurn(message: Pulled, asked: SubscriptionRecord | undefined): void {
    const taken = (this.#taking ?? Promise.resolve())
      .then(async () => {
        const known = asked === undefined ? undefined : await this.#records.known(asked, message.position);
        this.#hold(message, known);
      })
      .catch((error: unknown) => this.#report('reading what is known of an event failed', error))
      .finally(() => {
        if (this.#taking === taken) this.#taking = undefined;
      });
    this.#taking = taken;
  }

  #hold({ position, stored, msg }: Pulled, known?: HeldMessage['known']): void {
    const reply = msg.reply ?? '';
    const again = this.held.get(position);
    if (again !== undefined) {
      again.reply = reply;
      again.extended = performance.now();
      return;
    }
    if (position <= this.#done && this.source.record === undefined) {
      this.#pass(reply, '+ACK');
      return;
    }
    const commit = this.#log.decode(position, msg.data);
    if (commit === undefined) {
      this.#pass(reply, '+TERM');
      return;
    }
    const place = { log: this.#log.number, stream: this.#log.names.streamOf(msg.subject), position, acked: stored };
    const message = new HeldMessage(position, reply, eventsOf(place, commit), known);
    this.held.add(message);
    this.dispatcher.add(message.deliveries);
    if (message.open > 0) return;
    this.#settle(message);
    this.#ask();
  }

  /** Of a message that nobody is to get. */
  #pass(reply: string, what: '+ACK' | '+TERM'): void {
    this.#tell(reply, what);
    this.#ask();
    this.#on.onProgress();
  }

  #acknowledge(delivery: Delivery): void {
    if (this.held.acknowledge(delivery)) this.#settle(delivery.message);
    this.#on.onProgress();
  }

  #settle({ reply, position, isKnown }: HeldMessage): void {
    this.#tell(reply, '+ACK');
    const { record } = this.source;
    if (!isKnown || record === undefined) return;
    this.#records.forget(record, position).catch((error: unknown) => {
      this.#report('forgetting what is known of an acknowledged event failed', error);
    });
  }

  #tell(reply: string, what: '+ACK' | '+TERM' | '+WPI' | '-NAK'): void {
    if (this.#lost || this.#log.nc.isClosed()) return;
    this.#log.nc.publish(reply, what);
    this.#lastReply = reply;
  }

  /** Tells the server that what is held is being worked on. */
  #extend(): void {
    const now = performance.now();
    for (const message of this.held) {
      if (now - message.extended < ackWait / 5) continue;
      message.extended = now;
      this.#tell(message.reply, '+WPI');
    }
  }

  async #giveBack(): Promise<void> {
    const { record } = this.source;
    const left = [...this.held].sort((a, b) => a.position - b.position);
    if (record !== undefined) {
      const known = left.flatMap(({ position, known }) => (known === undefined ? [] : [{ position, known }]));
      await Promise.all(known.map(({ position, known }) => this.#records.know(record, position, known)));
    }
    for (const { reply } of left.slice(0, -1)) this.#tell(reply, '-NAK');
    // The server handles these in their order: its answer to the last is one to all.
    const last = left.at(-1)?.reply;
    const reply = last ?? this.#lastReply;
    if (reply === '' || this.#log.nc.isClosed()) return;
    await this.#log.nc.request(reply, last === undefined ? '+ACK' : '-NAK', { timeout: confirmation });
  }

  async #check(): Promise<void> {
    try {
      const info = await this.#log.jsm.consumers.info(this.#log.names.stream, this.source.consumer);
      this.#pending = info.num_pending;
      this.#ask();
    } catch (error) {
      if (this.#stopped) return;
      if (codeOf(error) === codes.consumerNotFound) this.#gone();
      else setTimeout(() => void this.#check(), 250);
    }
  }

  #gone(): void {
    if (this.#lost || this.#stopped) return;
    this.lose();
    this.#on.onGone();
  }

  #report(message: string, error: unknown): void {
    this.#logger()?.warn(message, { consumer: this.source.consumer, err: error });
  }
}
