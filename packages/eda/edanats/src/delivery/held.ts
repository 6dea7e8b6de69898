import type { EventId } from '@samovar/eda';
import type { Seq } from '@samovar/edacore';
import type { NatsEvent } from '../event.ts';

/** An event that was taken from the server, until it is acknowledged. */
export interface Delivery {
  readonly message: HeldMessage;
  readonly event: NatsEvent;
  /** How often it was handed out. */
  count: number;
  isAcked: boolean;
}

/** What is known of a message's events from whoever held it before. */
export interface Known {
  /** Of how many events the handling is over, by their places in the commit. */
  readonly acked: readonly number[];
  /** How often those that it is not over of were handed out. */
  readonly counts: readonly (readonly [place: number, count: number])[];
}

/** A message that the server waits to be told of. */
export class HeldMessage {
  readonly position: number;
  readonly deliveries: readonly Delivery[];
  /** Whether something is stored about it. */
  readonly isKnown: boolean;
  /** Where to acknowledge it. */
  reply: string;
  /** When the server was told last that it is being worked on, as `performance.now()` tells it. */
  extended = performance.now();
  /** Events that are not acknowledged. */
  open: number;

  constructor(position: number, reply: string, events: readonly NatsEvent[], known: Known | undefined) {
    this.position = position;
    this.reply = reply;
    this.isKnown = known !== undefined;
    const [acked, counts] = [new Set(known?.acked), new Map(known?.counts)];
    this.deliveries = events.map((event, place) => {
      const [count, isAcked] = [counts.get(place) ?? 0, acked.has(place)];
      return { message: this, event, count, isAcked };
    });
    this.open = this.deliveries.filter(({ isAcked }) => !isAcked).length;
  }

  /** What whoever gets it next has to know; undefined if nothing has happened to it. */
  get known(): Known | undefined {
    const places = [...this.deliveries.entries()];
    const acked = places.flatMap(([place, { isAcked }]) => (isAcked ? [place] : []));
    const counts = places.flatMap(([place, { isAcked, count }]) =>
      !isAcked && count > 0 ? [[place, count] as const] : [],
    );
    return acked.length + counts.length === 0 ? undefined : { acked, counts };
  }
}

/** The messages that a process holds. */
export class Held {
  readonly #messages = new Map<number, HeldMessage>();
  /** Every event from the first one that is not acknowledged on, as they came. */
  #order: Delivery[] = [];
  #first = 0;
  #unacked = 0;
  #last: EventId | NatsEvent | null;

  /** Goes on from the last event up to which everything is acknowledged. */
  constructor(last: EventId | null) {
    this.#last = last;
  }

  /** How many messages. */
  get size(): number {
    return this.#messages.size;
  }

  /** How many events are not acknowledged. */
  get unacked(): number {
    return this.#unacked;
  }

  /** The last event up to which everything that came is acknowledged. */
  get lastAcked(): EventId | null {
    return typeof this.#last === 'string' || this.#last === null ? this.#last : this.#last.id;
  }

  /** The first event that is not acknowledged. */
  get firstUnacked(): Seq | undefined {
    let first: Seq | undefined;
    for (const { event, isAcked } of this.#order.slice(this.#first)) {
      if (!isAcked && (first === undefined || event.seq < first)) first = event.seq;
    }
    return first;
  }

  [Symbol.iterator](): Iterator<HeldMessage> {
    return this.#messages.values();
  }

  get(position: number): HeldMessage | undefined {
    return this.#messages.get(position);
  }

  add(message: HeldMessage): void {
    if (message.open > 0) this.#messages.set(message.position, message);
    this.#unacked += message.open;
    for (const delivery of message.deliveries) this.#order.push(delivery);
    this.#advance();
  }

  /** Whether that was the last open event of its message. */
  acknowledge(delivery: Delivery): boolean {
    delivery.isAcked = true;
    this.#unacked--;
    this.#advance();
    if (--delivery.message.open > 0) return false;
    this.#messages.delete(delivery.message.position);
    return true;
  }

  #advance(): void {
    for (let delivery = this.#order[this.#first]; delivery?.isAcked; delivery = this.#order[++this.#first]) {
      const last = this.lastAcked;
      if (last === null || delivery.event.id > last) this.#last = delivery.event;
    }
    if (this.#first < 1000) return;
    this.#order = this.#order.slice(this.#first);
    this.#first = 0;
  }
}
