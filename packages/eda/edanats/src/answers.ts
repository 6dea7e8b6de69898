import type { Msg } from '@nats-io/transport-node';
import type { Answer } from './flight.ts';

const zero = 0x30;
const brace = 0x7d;

/**
 * Reads what the server says of publications. Nearly always that is a position and nothing else, behind the same text each
 * time: this is read without JSON, which takes ten times as long.
 */
export class Answers {
  /** What comes before the position. */
  #beginning = Buffer.alloc(0);

  read(msg: Msg): Answer {
    const seq = this.#plain(msg.data);
    if (seq !== undefined) return { seq };
    const [, beginning] = /^(\{"stream":"[^"]*", ?"seq":)\d{1,15}\}$/.exec(msg.string()) ?? [];
    if (beginning !== undefined) this.#beginning = Buffer.from(beginning);
    return msg.json<Answer>();
  }

  /** The position, if nothing else is said. */
  #plain(data: Uint8Array): number | undefined {
    const beginning = this.#beginning;
    const end = data.length - 1;
    if (end <= beginning.length || data[end] !== brace) return undefined;
    for (let i = 0; i < beginning.length; i++) if (data[i] !== beginning[i]) return undefined;
    let seq = 0;
    for (let i = beginning.length; i < end; i++) {
      const digit = (data[i] as number) - zero;
      if (digit < 0 || digit > 9) return undefined;
      seq = seq * 10 + digit;
    }
    return seq;
  }
}
