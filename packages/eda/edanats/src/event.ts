import { Data, type EventId } from '@samovar/eda';
import { encodeId, type LogEvent, maxCommit, type Seq, type WireCommit, type WireEvent } from '@samovar/edacore';

/** Where a commit is in the log, and since when. */
export interface Place {
  /** The number of the log. */
  readonly log: number;
  readonly stream: string;
  /** JetStream's sequence. */
  readonly position: number;
  /** When JetStream accepted it, in milliseconds. */
  readonly acked: number;
}

/** An event over its message; what takes work is made when asked for, and once. */
export class NatsEvent implements LogEvent {
  readonly seq: Seq;
  readonly deliveries: number;
  readonly #place: Place;
  readonly #commit: WireCommit;
  readonly #wire: WireEvent;
  #id: EventId | undefined;
  #data: Data | undefined;

  constructor(place: Place, commit: WireCommit, index: number, deliveries = 0) {
    this.seq = place.position * maxCommit + index;
    this.deliveries = deliveries;
    this.#place = place;
    this.#commit = commit;
    this.#wire = commit.events[index] as WireEvent;
  }

  delivered(deliveries: number): NatsEvent {
    return new NatsEvent(this.#place, this.#commit, this.seq % maxCommit, deliveries);
  }

  get stream(): string {
    return this.#place.stream;
  }

  get id(): EventId {
    const last = this.seq % maxCommit === this.#commit.events.length - 1;
    this.#id ??= encodeId(this.#place.log, this.seq, last, this.#commit.clock);
    return this.#id;
  }

  get type(): string {
    return this.#wire.type;
  }

  get data(): Data {
    this.#data ??= Data.decode(this.#wire.dataType, this.#wire.data);
    return this.#data;
  }

  get time(): Date {
    return new Date(this.#wire.time);
  }

  get ackTime(): Date {
    return new Date(this.#place.acked);
  }

  get client(): string {
    return this.#commit.client;
  }

  get schema(): string {
    return this.#wire.schema;
  }

  get aggregate(): string {
    return this.#wire.aggregate;
  }

  get cause(): EventId | null {
    return this.#wire.cause;
  }

  get meta(): Readonly<Record<string, string>> {
    return this.#wire.meta;
  }

  is(...types: readonly string[]): boolean {
    return types.includes(this.#wire.type);
  }
}

/** The events of a commit, in log order. */
export function eventsOf(place: Place, commit: WireCommit): NatsEvent[] {
  return commit.events.map((_, index) => new NatsEvent(place, commit, index));
}
