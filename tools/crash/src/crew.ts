import type { Ledger } from './ledger.ts';
import { type Acknowledged, type Handled, streams } from './load.ts';
import { Program } from './program.ts';

const publishers: readonly string[] = ['p1', 'p2'];
const subscribers: readonly string[] = ['s1', 's2'];

/** Publishers and subscribers at work on the log at `url`; what they say is put down in the ledger. */
export class Crew {
  readonly names: readonly string[] = [...publishers, ...subscribers];
  readonly #url: string;
  readonly #ledger: Ledger;
  readonly #running = new Map<string, Program>();
  #broken: Error | undefined;

  constructor(url: string, ledger: Ledger) {
    this.#url = url;
    this.#ledger = ledger;
  }

  /** Starts who is missing. Resolves when each publisher gets on. @throws {Error} if a promise was seen to be broken. */
  async work(): Promise<void> {
    for (const name of this.names) if (!this.#running.has(name)) this.#running.set(name, this.#start(name));
    await Promise.all(this.#those(publishers).map((program) => program.speaks()));
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** @throws {Error} if it has ended by itself before. */
  async kill(name: string): Promise<void> {
    await this.#running.get(name)?.kill();
    this.#running.delete(name);
  }

  /** Resolves when the publishers have ended, and then the subscribers, with nothing left to be handled. */
  async finish(): Promise<void> {
    await this.work();
    for (const names of [publishers, subscribers])
      await Promise.all(this.#those(names).map((program) => program.finish()));
    this.#running.clear();
    if (this.#broken !== undefined) throw this.#broken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map((program) => program.kill()));
  }

  #start(name: string): Program {
    const ledger = this.#ledger;
    if (subscribers.includes(name))
      return new Program(name, 'subscriber.ts', [this.#url], (line) =>
        this.#note(() => ledger.handled(line as Handled)),
      );
    // Its last ones again: they are to be known by their keys.
    const from = Math.max(0, ledger.nextOf(name) - streams);
    return new Program(name, 'publisher.ts', [this.#url, name, String(from)], (line) =>
      this.#note(() => ledger.acknowledged(name, line as Acknowledged)),
    );
  }

  #note(note: () => void): void {
    try {
      note();
    } catch (error) {
      this.#broken ??= error as Error;
    }
  }

  #those(names: readonly string[]): Program[] {
    return names.flatMap((name) => this.#running.get(name) ?? []);
  }
}
