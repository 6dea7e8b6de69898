import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';
import {
  ClosedError,
  DuplicateErasedError,
  HeadConflictError,
  InvalidArgumentError,
  LogFullError,
  LogUnavailableError,
} from '@samovar/eda';
import { type Append, encodeCommit, encodeId, firstSeq } from '@samovar/edacore';
import { codes } from '@samovar/nats/jetstream';
import { Answers } from './answers.ts';
import { asLogError, isFull } from './errors.ts';
import { type Answer, endIn, type Flight, headPosition, isDone, isPassingAnswer, positionOf } from './flight.ts';
import { commitHeaders, PreparedHeaders, withLogEnd } from './headers.ts';
import { messageId } from './names.ts';
import type { NatsLog } from './natslog.ts';
import { findMessage } from './scanned.ts';
import { duplicateWindow } from './storage.ts';
import { Tail } from './tail.ts';

/** Publications that wait for their answer, and bytes of them; others wait until there is room. */
const mostInFlight = 4096;
const mostBytes = 32 * 1024 * 1024;
/**
 * Milliseconds until a publication that is not answered is sent again, between looks for such, until one that could not
 * be stored is, and until those in flight are not waited for any more.
 */
const answerTimeout = 5_000;
const sweep = 50;
const retryTime = 250;
const closing = 5_000;
/** Milliseconds after which the server may have forgotten that it has stored what is about to be sent again. */
const forgotten = duplicateWindow / 1e6 - 30_000;

/**
 * Publishes commits, many at once, through one subscription for all answers.
 *
 * Where only the end of the whole log guards a head, what expects a head expects that end too, and is sent again while only
 * the end is another one; what is published to its stream meanwhile waits for it.
 */
export class Publisher {
  readonly #log: NatsLog;
  readonly #nc: NatsConnection;
  readonly #inbox = createInbox();
  readonly #headers = new PreparedHeaders();
  readonly #answers = new Answers();
  readonly #run = createInbox('samovar').slice('samovar.'.length);
  readonly #flights = new Map<number, Flight>();
  readonly #tail = new Tail();
  /** What waits for a publication to the same stream, by stream. */
  readonly #behind = new Map<string, Flight[]>();
  #waiting: Flight[] = [];
  #bytes = 0;
  #tokens = 0;
  #published = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(log: NatsLog) {
    this.#log = log;
    this.#nc = log.nc;
    const callback = (error: Error | null, msg: Msg) => {
      if (error === null) this.#answered(msg);
    };
    this.#nc.subscribe(`${this.#inbox}.*`, { callback });
    log.onReconnect(() => {
      this.#tail.forget();
      this.#again(() => true);
    });
  }

  /** Stores a commit, in the order of the calls as long as the connection holds, and answers it. */
  publish(append: Append): void {
    const { stream, client, rows, key, expected } = append;
    const clock = Date.now();
    const payload = encodeCommit({ clock, client, rows });
    if (key !== undefined && this.#log.erasures.hasKey(stream, key)) {
      append.fail(new DuplicateErasedError(stream, key));
      return;
    }
    if (payload.length > this.#log.maxBytes) {
      const why = `is ${payload.length} bytes in one commit: this server takes ${this.#log.maxBytes}`;
      append.fail(new InvalidArgumentError('data', why));
      return;
    }
    const id = key === undefined ? `${this.#run}.${++this.#published}` : messageId(stream, key);
    const head = expected === undefined ? undefined : positionOf(expected);
    const headers = commitHeaders(id, { events: rows.length, clock }, head);
    const subject = this.#log.names.subject(stream);
    const flight = {
      append,
      subject,
      payload,
      headers,
      id,
      clock,
      head,
      first: 0,
      repeated: false,
      place: 0,
      end: 0,
      sent: 0,
    };
    if (this.#hasRoom() && this.#waiting.length === 0) this.#take(flight);
    else this.#waiting.push(flight);
  }

  /** Resolves when everything published before is answered, or after some time. */
  async settled(): Promise<void> {
    const flights = [...this.#flights.values(), ...[...this.#behind.values()].flat(), ...this.#waiting];
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, closing);
    });
    await Promise.race([Promise.allSettled(flights.map(({ append }) => append.promise)), patience]);
    clearTimeout(timer);
  }

  /** Gives up what is not answered. */
  close(): void {
    clearTimeout(this.#timer);
    const error = new ClosedError('the connection to the event log');
    const flights = [...this.#flights.values(), ...[...this.#behind.values()].flat(), ...this.#waiting];
    this.#flights.clear();
    this.#behind.clear();
    this.#waiting = [];
    for (const { append } of flights) append.fail(error);
  }

  #hasRoom(): boolean {
    return this.#flights.size < mostInFlight && this.#bytes < mostBytes;
  }

  #take(flight: Flight): void {
    const { stream, promise } = flight.append;
    const behind = this.#behind.get(stream);
    if (behind !== undefined) {
      behind.push(flight);
      return;
    }
    if (this.#isGuarded(flight)) {
      this.#behind.set(stream, []);
      const release = () => this.#release(stream);
      promise.then(release, release);
    }
    this.#enter(flight);
  }

  /** Whether it expects where the log ends. */
  #isGuarded({ head }: Flight): boolean {
    return head !== undefined && this.#log.guard === 'end';
  }

  #release(stream: string): void {
    const behind = this.#behind.get(stream) ?? [];
    this.#behind.delete(stream);
    if (behind.length === 0) return;
    this.#waiting = [...behind, ...this.#waiting];
    this.#fill();
  }

  #enter(flight: Flight): void {
    this.#bytes += flight.payload.length;
    this.#send(++this.#tokens, flight);
  }

  #send(token: number, flight: Flight): void {
    flight.sent = performance.now();
    flight.first ||= flight.sent;
    flight.end = this.#tail.expected;
    flight.place = this.#tail.sent();
    this.#flights.set(token, flight);
    const { subject, payload, headers } = flight;
    this.#headers.text = this.#isGuarded(flight) ? withLogEnd(headers, flight.end) : headers;
    this.#nc.publish(subject, payload, { reply: `${this.#inbox}.${token}`, headers: this.#headers });
    this.#timer ??= setTimeout(() => this.#sweep(), sweep);
  }

  #remove(token: number, flight: Flight): void {
    if (!this.#flights.delete(token)) return;
    this.#bytes -= flight.payload.length;
    this.#fill();
  }

  /** Sends what waits, as far as there is room. */
  #fill(): void {
    if (this.#waiting.length === 0) return;
    let next = 0;
    while (next < this.#waiting.length && this.#hasRoom()) this.#take(this.#waiting[next++] as Flight);
    this.#waiting.splice(0, next);
  }

  #answered(msg: Msg): void {
    const token = Number(msg.subject.slice(this.#inbox.length + 1));
    const flight = this.#flights.get(token);
    if (flight === undefined) return;
    // Nobody leads the stream now, or JetStream is not up.
    const unled = msg.headers?.code === 503;
    const answer = unled ? undefined : this.#answers.read(msg);
    if (answer === undefined || isPassingAnswer(answer)) {
      flight.sent = performance.now() - answerTimeout + retryTime;
      return;
    }
    const end = endIn(answer);
    this.#tail.answered(flight.place, end);
    if (answer.error !== undefined && end > flight.end && this.#isGuarded(flight)) {
      this.#send(token, flight);
      return;
    }
    this.#remove(token, flight);
    if (answer.error === undefined && !answer.duplicate) this.#stored(flight, answer.seq);
    else void this.#settle(flight, answer).catch((error: unknown) => flight.append.fail(asLogError(error)));
  }

  #stored({ append, clock }: Flight, position: number): void {
    append.stored(this.#log.number, firstSeq(position), append.rows.length, clock);
  }

  async #settle(flight: Flight, { error, seq }: Answer): Promise<void> {
    const { append, id } = flight;
    if (error === undefined) return this.#duplicate(flight, seq);
    if (codes.wrongLastSequence.has(error.err_code)) {
      const head = await this.#log.head(append.ctx, append.stream);
      // What is about to be stored makes servers that keep a log together refuse, too, and may not be stored in the end.
      if (this.#log.replicas > 1 && headPosition(head) === flight.head) return this.#enter(flight);
      const known = flight.repeated || (append.key !== undefined && this.#log.comparesRepeated);
      const stored = known ? await findMessage(this.#log, append.stream, id) : undefined;
      if (stored !== undefined) return this.#duplicate(flight, stored);
      const actual = head === undefined ? null : encodeId(this.#log.number, head.seq, true, head.clock);
      append.fail(new HeadConflictError(append.stream, actual, append.expected?.id ?? null));
    } else if (isFull(error)) {
      append.fail(new LogFullError({ cause: new Error(error.description) }));
    } else append.fail(new LogUnavailableError(`the event log on NATS refuses events: ${error.description}`));
  }

  async #duplicate({ append, clock }: Flight, position: number): Promise<void> {
    const { number } = this.#log;
    if (append.key === undefined) return append.stored(number, firstSeq(position), append.rows.length, clock);
    const first = await this.#log.at(append.ctx, position);
    if (first?.commit === undefined) append.fail(new DuplicateErasedError(append.stream, append.key));
    else append.stored(number, firstSeq(position), first.commit.events.length, first.commit.clock);
  }

  /** Gives up what nobody waits for any more, and sends again what was not answered. */
  #sweep(): void {
    this.#waiting = this.#waiting.filter((flight) => !isDone(flight));
    for (const [stream, flights] of this.#behind) {
      this.#behind.set(
        stream,
        flights.filter((flight) => !isDone(flight)),
      );
    }
    for (const [token, flight] of this.#flights) if (isDone(flight)) this.#remove(token, flight);
    const now = performance.now();
    this.#again(({ sent }) => now - sent > answerTimeout);
    const idle = this.#flights.size === 0 && this.#behind.size === 0 && this.#waiting.length === 0;
    this.#timer = idle ? undefined : setTimeout(() => this.#sweep(), sweep);
  }

  #again(which: (flight: Flight) => boolean): void {
    const now = performance.now();
    for (const [token, flight] of this.#flights) {
      if (!which(flight)) continue;
      if (now - flight.first < forgotten) {
        flight.repeated = true;
        this.#send(token, flight);
      } else void this.#askThenSend(token, flight);
    }
  }

  async #askThenSend(token: number, flight: Flight): Promise<void> {
    flight.sent = performance.now();
    try {
      const stored = await findMessage(this.#log, flight.append.stream, flight.id, performance.now() - flight.first);
      if (!this.#flights.has(token)) return;
      if (stored === undefined) {
        flight.first = 0;
        flight.repeated = false;
        return this.#send(token, flight);
      }
      this.#remove(token, flight);
      await this.#duplicate(flight, stored);
    } catch {
      // It is asked again with the next sweep after the time for an answer.
    }
  }
}
