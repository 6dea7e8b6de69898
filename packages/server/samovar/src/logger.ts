import type { Logger } from '@samovar/server';
import { type DestinationStream, destination, type Logger as Pino, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.ts';

/** Logs to standard error: lines for people on a terminal, JSON otherwise. */
export function stderrLogger(level: Config['logLevel']): Logger {
  const stderr = destination({ fd: 2, sync: true });
  // Whoever read the log may go away; the server stays.
  stderr.on('error', () => {});
  const target = process.stderr.isTTY ? pretty({ destination: stderr, ignore: 'pid,hostname' }) : stderr;
  return pinoLogger(level, target);
}

export function pinoLogger(level: Config['logLevel'], target: DestinationStream): Logger {
  return new PinoLogger(pino({ level }, target));
}

class PinoLogger implements Logger {
  readonly #pino: Pino;

  constructor(logger: Pino) {
    this.#pino = logger;
  }

  debug(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#pino.debug(fields, message);
  }

  info(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#pino.info(fields, message);
  }

  warn(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#pino.warn(fields, message);
  }

  error(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#pino.error(fields, message);
  }

  child(fields: Readonly<Record<string, unknown>>): Logger {
    return new PinoLogger(this.#pino.child(fields));
  }
}
