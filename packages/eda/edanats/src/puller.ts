import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';

/** A message as a consumer hands it over. */
export interface Pulled {
  /** JetStream's sequence. */
  readonly position: number;
  /** When it was stored, in milliseconds. */
  readonly stored: number;
  /** How many more the consumer has to hand over. */
  readonly pending: number;
  /** How many the consumer has handed over, this one included. */
  readonly count: number;
  readonly msg: Msg;
  /** Its payload, which a message makes anew each time it is asked. */
  readonly data: Uint8Array;
}

/** What a puller tells whom it works for. */
export interface PullerEvents {
  onMessage(message: Pulled): void;
  /** There is nothing to hand over now. */
  onIdle(): void;
  /** A request came to its end without all that it asked for: ask again. */
  onRelease(): void;
  /** The first request after a pause is not answered: see whether the consumer is still there, then ask again. */
  onDoubt(): void;
  /** The consumer is gone, or what it has handed over has not come: only a new one gives that. */
  onLost(): void;
}

/** Milliseconds that a request is good for, between the server's signs of life in it, and without any until it is lost. */
const expires = 30_000;
const heartbeat = 5_000;
const silence = 12_000;
/** Milliseconds without an answer until it is seen whether there still is whom the first request after a pause went to. */
const doubt = 500;

/** Asks a consumer for messages, exactly as many as wanted. */
export class Puller {
  readonly #nc: NatsConnection;
  readonly #subject: string;
  readonly #inbox = createInbox();
  readonly #on: PullerEvents;
  readonly #maxBytes: number;
  /** `.stream.consumer.`. */
  readonly #consumer: string;
  readonly #subscription;
  readonly #watchdog: NodeJS.Timeout;
  #doubt: NodeJS.Timeout | undefined;
  #outstanding = 0;
  #count = 0;
  #heard = performance.now();

  constructor(nc: NatsConnection, stream: string, consumer: string, on: PullerEvents) {
    this.#nc = nc;
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    this.#on = on;
    this.#consumer = `.${stream}.${consumer}.`;
    this.#maxBytes = 2 * Math.max(nc.info?.max_payload ?? 0, 8 * 1024 * 1024);
    const callback = (error: Error | null, msg: Msg) => {
      if (error === null) this.#receive(msg);
    };
    this.#subscription = nc.subscribe(this.#inbox, { callback });
    this.#watchdog = setInterval(() => this.#watch(), silence / 4);
  }

  /** Messages asked for that have not come yet. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Asks for this many more. */
  ask(batch: number): void {
    if (this.#outstanding === 0) this.#begin();
    this.#outstanding += batch;
    const request = { batch, expires: expires * 1e6, idle_heartbeat: heartbeat * 1e6, max_bytes: this.#maxBytes };
    this.#nc.publish(this.#subject, JSON.stringify(request), { reply: this.#inbox });
  }

  /** Takes nothing any more. */
  abandon(): void {
    clearInterval(this.#watchdog);
    clearTimeout(this.#doubt);
    this.#subscription.unsubscribe();
  }

  /** A request for a consumer that is gone is not answered. */
  #begin(): void {
    this.#heard = performance.now();
    clearTimeout(this.#doubt);
    this.#doubt = setTimeout(() => this.#on.onDoubt(), doubt);
  }

  #receive(msg: Msg): void {
    this.#heard = performance.now();
    clearTimeout(this.#doubt);
    // Headers are decoded when they are asked for: those of events are not looked at here.
    const pulled = pulledOf(msg, this.#consumer);
    if (pulled !== undefined) this.#take(pulled);
    else if (msg.headers?.code === 100) this.#on.onIdle();
    else this.#released(msg, msg.headers?.code ?? 0);
  }

  #take(pulled: Pulled): void {
    // A consumer does not know that what it handed over was lost with a connection, and one whose server was started anew
    // begins where it began first.
    if (pulled.count !== ++this.#count) {
      this.#on.onLost();
      return;
    }
    this.#outstanding = Math.max(0, this.#outstanding - 1);
    this.#on.onMessage(pulled);
  }

  #released(msg: Msg, code: number): void {
    if (code === 409 && /consumer deleted|consumer is push/i.test(msg.headers?.description ?? '')) {
      this.#on.onLost();
      return;
    }
    const left = Number(msg.headers?.get('Nats-Pending-Messages') || this.#outstanding);
    this.#outstanding = Math.max(0, this.#outstanding - left);
    this.#on.onRelease();
  }

  #watch(): void {
    if (this.#outstanding > 0 && performance.now() - this.#heard >= silence) this.#on.onLost();
  }
}

/**
 * What the subject for acknowledging says behind `.stream.consumer.`: deliveries.position.count.stored.pending, and what later
 * servers add. Undefined of a message that has none.
 */
export function pulledOf(msg: Msg, consumer: string): Pulled | undefined {
  const { reply = '' } = msg;
  const start = reply.indexOf(consumer);
  if (start < 0) return undefined;
  const position = reply.indexOf('.', start + consumer.length) + 1;
  const count = reply.indexOf('.', position) + 1;
  const stored = reply.indexOf('.', count) + 1;
  const pending = reply.indexOf('.', stored) + 1;
  return {
    position: numberAt(reply, position),
    // Without the last six digits of nanoseconds, which are more than a number can tell.
    stored: numberAt(reply, stored, pending - 7),
    pending: numberAt(reply, pending),
    count: numberAt(reply, count),
    msg,
    data: msg.data,
  };
}

/** The number of digits from `start` on, up to whatever is none, or to `end`. */
function numberAt(text: string, start: number, end = text.length): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return value;
}
