import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';

/** A message as a consumer hands it over. */
export interface Pulled {
  /** JetStream's sequence. */
  readonly position: number;
  /** How often the server has handed it over, this time included. */
  readonly deliveries: number;
  /** When it was stored, in milliseconds. */
  readonly stored: number;
  /** How many more the consumer has to hand over. */
  readonly pending: number;
  readonly msg: Msg;
}

/** What a puller tells whom it works for. */
export interface PullerEvents {
  onMessage(message: Pulled): void;
  /** A request came to its end without all that it asked for: ask again. */
  onRelease(): void;
  /** Nothing is heard any more, or the connection was broken: see whether the consumer is still there, then ask again. */
  onSilence(): void;
  /** The consumer was deleted. */
  onGone(): void;
}

/** Milliseconds that a request is good for, between the server's signs of life in it, and without any until it is lost. */
const expires = 30_000;
const heartbeat = 5_000;
const silence = 12_000;
/** Milliseconds until the server has to have forgotten requests. */
const cleanup = 1_000;

/** Asks a consumer for messages, exactly as many as wanted. */
export class Puller {
  readonly #nc: NatsConnection;
  readonly #subject: string;
  readonly #about: string;
  readonly #inbox = createInbox();
  readonly #on: PullerEvents;
  readonly #maxBytes: number;
  readonly #subscription;
  readonly #watchdog: NodeJS.Timeout;
  #outstanding = 0;
  #requests = 0;
  /** Requests up to this one are lost. */
  #lost = 0;
  #heard = performance.now();

  constructor(nc: NatsConnection, stream: string, consumer: string, on: PullerEvents) {
    this.#nc = nc;
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    this.#about = `$JS.API.CONSUMER.INFO.${stream}.${consumer}`;
    this.#on = on;
    this.#maxBytes = 2 * Math.max(nc.info?.max_payload ?? 0, 8 * 1024 * 1024);
    const callback = (error: Error | null, msg: Msg) => {
      if (error === null) this.#receive(msg);
    };
    this.#subscription = nc.subscribe(`${this.#inbox}.*`, { callback });
    this.#watchdog = setInterval(() => this.#watch(), silence / 4);
  }

  /** Messages asked for that have not come yet. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Asks for this many more. */
  ask(batch: number): void {
    if (this.#outstanding === 0) this.#heard = performance.now();
    this.#outstanding += batch;
    const request = { batch, expires: expires * 1e6, idle_heartbeat: heartbeat * 1e6, max_bytes: this.#maxBytes };
    this.#nc.publish(this.#subject, JSON.stringify(request), { reply: `${this.#inbox}.${++this.#requests}` });
  }

  /** The connection was broken: nothing that was asked for will come. */
  reconnected(): void {
    this.#forget();
    this.#on.onSilence();
  }

  /** Takes nothing any more. What the server has sent already may still be handed over until this resolves. */
  async stop(): Promise<void> {
    clearInterval(this.#watchdog);
    if (this.#nc.isClosed()) return;
    await this.#subscription.drain().catch(() => {});
    if (this.#requests > 0) await this.#forgetRequests();
  }

  /** Takes nothing any more, from now on. */
  abandon(): void {
    clearInterval(this.#watchdog);
    this.#subscription.unsubscribe();
  }

  /**
   * Has the server forget the requests that nobody waits for any more. Server 2.9 mistakes them for live ones when a
   * message is given back: it hands over the last message again and keeps the one given back until its time is over.
   * Asked about the consumer, it looks at them; an answer to one more request shows that it has got them all.
   */
  async #forgetRequests(): Promise<void> {
    await new Promise<void>((resolve) => {
      const inbox = createInbox();
      const callback = (error: Error | null, msg: Msg) => {
        if (error === null && (msg.headers?.code ?? 0) === 0) this.#receive(msg);
        if (error === null) resolve();
      };
      const subscription = this.#nc.subscribe(inbox, { callback, max: 1 });
      this.#nc.publish(this.#subject, JSON.stringify({ batch: 1, no_wait: true }), { reply: inbox });
      const timer = setTimeout(resolve, cleanup);
      void subscription.closed.then(() => clearTimeout(timer));
    });
    await this.#nc.request(this.#about, '', { timeout: cleanup }).catch(() => {});
  }

  #receive(msg: Msg): void {
    this.#heard = performance.now();
    const code = msg.headers?.code ?? 0;
    if (code === 0) {
      this.#outstanding = Math.max(0, this.#outstanding - 1);
      const pulled = pulledOf(msg);
      if (pulled !== undefined) this.#on.onMessage(pulled);
    } else if (code !== 100) this.#released(msg, code);
  }

  #released(msg: Msg, code: number): void {
    if (!(Number(msg.subject.slice(this.#inbox.length + 1)) > this.#lost)) return;
    if (code === 409 && /consumer deleted|consumer is push/i.test(msg.headers?.description ?? '')) {
      this.#forget();
      this.#on.onGone();
      return;
    }
    const left = Number(msg.headers?.get('Nats-Pending-Messages') || this.#outstanding);
    this.#outstanding = Math.max(0, this.#outstanding - left);
    this.#on.onRelease();
  }

  #watch(): void {
    if (this.#outstanding === 0 || performance.now() - this.#heard < silence) return;
    this.#forget();
    this.#on.onSilence();
  }

  #forget(): void {
    this.#lost = this.#requests;
    this.#outstanding = 0;
    this.#heard = performance.now();
  }
}

/** What the subject for acknowledging says: $JS.ACK.stream.consumer.deliveries.position.order.stored.pending. */
function pulledOf(msg: Msg): Pulled | undefined {
  const parts = (msg.reply ?? '').split('.');
  // Later servers put the domain and the account behind $JS.ACK, and something random at the end.
  const at = parts.length === 9 ? 4 : 6;
  const [deliveries, position, , stored, pending] = parts.slice(at);
  if (parts.length < 9 || pending === undefined) return undefined;
  return {
    position: Number(position),
    deliveries: Number(deliveries),
    stored: Math.floor(Number(stored) / 1e6),
    pending: Number(pending),
    msg,
  };
}
