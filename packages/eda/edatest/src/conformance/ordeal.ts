import { background } from '@samovar/context';
import type { Conn, Event, EventId, Subscription } from '@samovar/eda';
import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { collect, eventually, fill, numberOf, pour, range } from './moves.ts';
import { TestLog } from './testlog.ts';

const guest = { name: 'guest', durable: true, backfill: true, keyBy: 'stream', maxDeliver: 1, concurrency: 8 } as const;

/** Whatever may happen to a subscription with keys and parked events, against what has to come of it. */
export function ordealCases(backend: Backend): void {
  it('loses nothing and keeps the order while events of a key arrive that is being replayed', async () => {
    const conn = await (await TestLog.open(backend)).connect();
    let isBroken = true;
    const acked: number[] = [];
    const handle = async (_: unknown, event: Event) => {
      if (isBroken) throw new Error('spilt');
      await new Promise(setImmediate);
      acked.push(numberOf(event));
    };
    await fill(conn, 'cups.1', 50);
    const subscription = await conn.subscribe('cups.*', handle, guest);
    await eventually(() => expect(subscription.status().parked).toBe(1));
    isBroken = false;
    await conn.parked('guest').replay(background, 'all');
    for (const n of range(300, 50)) await conn.publish(background, 'cups.1', pour(n));
    await subscription.caughtUp(background);
    expect(acked).toEqual(range(350));
    expect(subscription.status()).toMatchObject({ parked: 0, lag: 0 });
  });

  it.each(range(6, 1))('handles each event once and in the order of its key, come what may (%d)', async (seed) => {
    const conns = await (await TestLog.open(backend)).connects(2);
    const ordeal = new Ordeal(conns, seed);
    for (const _ of range(60)) await ordeal.step();
    await ordeal.end();
  });
}

/** Random steps, the same for each seed as far as time allows. */
class Ordeal {
  readonly #conns: readonly Conn[];
  readonly #acked = new Map<string, number[]>();
  readonly #skipped = new Set<string>();
  readonly #members: Subscription[] = [];
  #published = 0;
  #failing = 0.1;
  #state: number;

  constructor(conns: readonly Conn[], seed: number) {
    this.#conns = conns;
    this.#state = seed * 7919;
  }

  async step(): Promise<void> {
    const chance = this.#random();
    if (this.#members.length === 0 || chance < 0.15) await this.#join();
    else if (chance < 0.25) await this.#leave();
    else if (chance < 0.35) await this.#replay();
    else if (chance < 0.42) await this.#skip();
    else if (chance < 0.5) this.#failing = this.#random() < 0.5 ? 0.05 : 0.4;
    else await this.#publish();
  }

  /** Lets everything be handled, and compares. */
  async end(): Promise<void> {
    this.#failing = 0;
    await this.#join();
    await eventually(async () => {
      await this.#replay('all');
      expect(this.#members[0]?.status()).toMatchObject({ state: 'running', parked: 0, lag: 0 });
    });
    for (const stream of range(4).map((n) => `cups.${n}`)) {
      const events = await collect(this.#conn.read(background, stream));
      const expected = events.filter(({ id }) => !this.#skipped.has(id)).map(numberOf);
      expect([stream, this.#acked.get(stream) ?? []]).toEqual([stream, expected]);
    }
    expect(await this.#conn.parked('guest').count(background)).toBe(0);
  }

  get #conn(): Conn {
    return this.#conns[Math.floor(this.#random() * this.#conns.length)] as Conn;
  }

  async #join(): Promise<void> {
    this.#members.push(await this.#conn.subscribe('cups.*', (_, event) => this.#handle(event), guest));
  }

  async #leave(): Promise<void> {
    const leaving = this.#random() < 0.5 ? this.#members.splice(0) : this.#members.splice(0, 1);
    await Promise.all(leaving.map((member) => member.close()));
  }

  async #publish(): Promise<void> {
    for (const _ of range(1 + Math.floor(this.#random() * 30))) {
      await this.#conn.publish(background, `cups.${Math.floor(this.#random() * 4)}`, pour(this.#published++));
    }
  }

  async #replay(which?: 'all'): Promise<void> {
    const parked = await collect(this.#conn.parked('guest').list(background));
    const chosen = parked.filter(() => which === 'all' || this.#random() < 0.5).map(({ event }) => event.id);
    await unlessGone(this.#conn.parked('guest').replay(background, which ?? chosen, { limit: 10_000 }));
  }

  async #skip(): Promise<void> {
    const [first] = await collect(this.#conn.parked('guest').list(background));
    if (first === undefined) return;
    const id: EventId = first.event.id;
    if (await unlessGone(this.#conn.parked('guest').skip(background, id))) this.#skipped.add(id);
  }

  async #handle(event: Event): Promise<void> {
    if (this.#random() < 0.5) await new Promise(setImmediate);
    if (this.#random() < this.#failing) throw new Error('spilt');
    const numbers = this.#acked.get(event.stream) ?? [];
    this.#acked.set(event.stream, numbers);
    numbers.push(numberOf(event));
  }

  #random(): number {
    this.#state = (this.#state * 1_103_515_245 + 12_345) % 2 ** 31;
    return this.#state / 2 ** 31;
  }
}

/** Whether it was done; not where what was parked has been requested before. */
async function unlessGone(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    expect(error).toMatchObject({ id: 'eda.notParked' });
    return false;
  }
}
