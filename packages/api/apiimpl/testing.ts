import type { HttpOptions } from '@samovar/api';
import type { Bus } from '@samovar/bus';
import {
  background,
  type CancelScope,
  type Context,
  throwIfDone,
  whenDone,
  withCancel,
  withValue,
} from '@samovar/context';
import { type Conn, Data, type Event, type EventId, type EventStream, type ReadOptions } from '@samovar/eda';
import { command, query } from '@samovar/message';
import { type Logger, workContext } from '@samovar/server';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { HttpService } from './src/http.ts';

const Range = z.object({ from: z.int(), to: z.int() });

export const FindBooksQuery = query(
  'library.FindBooksQuery',
  z.object({
    title: z.string().optional(),
    year: z.int().nullable().optional(),
    lent: z.boolean().optional(),
    tags: z.array(z.string()).default([]),
    shelves: z.array(z.int()).optional(),
    pages: Range.optional(),
    ranges: z.array(Range).optional(),
  }),
  z.unknown(),
);
export const LendBookCommand = command('library.LendBookCommand', z.object({ isbn: z.string().min(3) }));
export const CountBooksQuery = query('library.CountBooksQuery', z.object({}), z.int());

export interface Log extends Logger {
  readonly lines: { level: string; message: string; fields: unknown }[];
}

export function recordingLogger(): Log {
  const lines: Log['lines'] = [];
  const at = (level: string) => (message: string, fields?: unknown) => void lines.push({ level, message, fields });
  const logger: Log = {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return logger;
}

export type Read = (ctx: Context, selector: string, options: ReadOptions) => AsyncGenerator<Event>;

/** A log of which only `read` is there. Its history is all there is, or, when watching, nothing. */
export function connReading(read: Read): Conn {
  const stream = (ctx: Context, selector: string, options: ReadOptions = {}): EventStream => {
    const events = read(ctx, selector, options);
    async function* history() {
      if (options.watch !== true) yield* events;
    }
    return { history, [Symbol.asyncIterator]: () => events };
  };
  return { read: stream } as unknown as Conn;
}

export function eventNumber(n: number, payload: unknown = { n }): Event {
  const id = `0${String(n).padStart(25, '0')}` as EventId;
  const rest = { schema: '', client: 'test', aggregate: '', cause: null, meta: {}, deliveries: 0 };
  const time = new Date(1_700_000_000_000 + n);
  const type = 'test.Counted';
  return {
    stream: 'test.1',
    id,
    type,
    data: Data.json(payload),
    time,
    ackTime: time,
    ...rest,
    is: (...t) => t.includes(type),
  };
}

/** Waits until `ctx` is done, and throws why. */
export async function untilDone(ctx: Context): Promise<never> {
  await whenDone(ctx);
  throwIfDone(ctx);
  throw new Error('unreachable');
}

export interface RunningApi {
  readonly url: string;
  readonly port: number;
  readonly logger: Log;
  readonly intake: CancelScope;
  readonly work: CancelScope;
  readonly running: Promise<void>;
  /** GET, or POST of a JSON body. */
  call(path: string, body?: unknown): Promise<{ status: number; type: string | null; body: never }>;
}

interface Setup {
  readonly bus: Bus;
  readonly conn?: Conn;
  readonly options?: Partial<HttpOptions>;
  readonly isReady?: () => boolean;
}

/** A face on a free port, for as long as the test runs. */
export async function startApi({ bus, conn, options, isReady = () => true }: Setup): Promise<RunningApi> {
  const logger = recordingLogger();
  const all = { host: '127.0.0.1', port: 0, allowedHosts: [], maxBodyBytes: 10_000, ...options };
  const empty = connReading(async function* () {});
  const service = new HttpService(all, { bus, conn: conn ?? empty, readiness: { isReady }, logger });
  const work = withCancel(background);
  const intake = withCancel(withValue(background, workContext, work.ctx));
  const running = service.run(intake.ctx);
  const url = await Promise.race([service.listening(background), running.then(() => '')]);
  onTestFinished(async () => {
    intake.cancel();
    work.cancel();
    await running;
  });
  const call = async (path: string, body?: unknown) => {
    const headers = { 'content-type': 'application/json' };
    const init = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    const type = response.headers.get('content-type');
    return { status: response.status, type, body: (text === '' ? undefined : JSON.parse(text)) as never };
  };
  return { url, port: Number(new URL(url).port), logger, intake, work, running, call };
}
