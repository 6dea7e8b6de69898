import type { WriteStream } from 'node:tty';

/** What people read: a line of news, or of what is wrong. */
export interface Output {
  line(text: string): void;
  problem(text: string): void;
  /** Where a picture that moves can be drawn; undefined where nobody would see it. */
  readonly canvas: WriteStream | undefined;
}

/** Standard output and standard error. Whoever read them may go away: samovar goes on. */
export function standardOutput(): Output {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return {
    line: (text) => void process.stdout.write(`${text}\n`),
    problem: (text) => void process.stderr.write(`${text}\n`),
    canvas: process.stdout.isTTY ? process.stdout : undefined,
  };
}

/** `12,000 commits`. */
export function commits(count: number): string {
  return `${thousands(count)} commit${count === 1 ? '' : 's'}`;
}

export function thousands(count: number): string {
  return count.toLocaleString('en-US');
}
