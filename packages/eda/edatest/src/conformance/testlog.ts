import type { Conn } from '@samovar/eda';
import { onTestFinished } from 'vitest';
import type { Backend, Harness } from './backend.ts';

/** The log of one test. When the test is over, whatever is still open is closed, and the log removed. */
export class TestLog {
  readonly #harness: Harness;
  readonly #conns = new Set<Conn>();

  private constructor(harness: Harness) {
    this.#harness = harness;
  }

  static async open(backend: Backend): Promise<TestLog> {
    const harness = await backend.open();
    const log = new TestLog(harness);
    onTestFinished(async () => {
      await log.close();
      await harness[Symbol.asyncDispose]();
    });
    return log;
  }

  async connect(client?: string): Promise<Conn> {
    const conn = await (client === undefined ? this.#harness.connect() : this.#harness.connect(client));
    this.#conns.add(conn);
    return conn;
  }

  /** As many connections as asked for. */
  connects(count: number): Promise<Conn[]> {
    return Promise.all(Array.from({ length: count }, () => this.connect()));
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    await Promise.all([...this.#conns].map((conn) => conn.close()));
    this.#conns.clear();
  }

  /** A connection to the log after a restart of whatever serves it. */
  async reopen(): Promise<Conn> {
    await this.close();
    if (this.#harness.reopen === undefined)
      throw new Error('a backend without reopen() has to say that it lacks restart');
    await this.#harness.reopen();
    return this.connect();
  }
}

/** A connection to a new log. */
export async function connected(backend: Backend): Promise<Conn> {
  return (await TestLog.open(backend)).connect();
}
