import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A server in a process of its own, which answers one question at a time. */
export class Child implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  /** Runs a file that sends its url, then an answer to each message, and ends when it is disconnected. */
  static async start(file: URL, args: readonly string[]): Promise<Child> {
    const process = fork(fileURLToPath(file), args, { execArgv: ['--conditions=@samovar/source'] });
    return new Child(process, (await messageOf(process)) as string);
  }

  async ask<Answer>(question: string): Promise<Answer> {
    this.#process.send(question);
    return (await messageOf(this.#process)) as Answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.disconnect();
    await exited;
  }
}

/** Milliseconds on a clock that all processes of this machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** @throws {Error} if it ends instead. */
async function messageOf(process: ChildProcess): Promise<unknown> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    const exited = once(process, 'exit', { signal }).then(([code]) => {
      throw new Error(`${process.spawnfile} has ended with code ${code}`);
    });
    const [message] = await Promise.race([once(process, 'message', { signal }), exited]);
    return message;
  } finally {
    settled.abort();
  }
}
