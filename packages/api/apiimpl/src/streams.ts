import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Context, withSignal } from '@samovar/context';
import { type Conn, type Event, type EventStream, eventToJson, parseEventId } from '@samovar/eda';
import { DomainError } from '@samovar/errors';
import { InvalidMessageError } from '@samovar/message';
import type { Logger } from '@samovar/server';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { type Parameters, parameterReader } from './parameters.ts';

/** The parameters of a stream's address. */
const ReadParameters = z.strictObject({
  after: z
    .string()
    .exactOptional()
    .describe('Only events behind the one with this id; before it, when reading backwards.'),
  limit: z.int().nonnegative().exactOptional().describe('At most this many. Default: all.'),
  backwards: z.boolean().exactOptional().describe('Newest first. Not with watch.'),
  watch: z.boolean().exactOptional().describe('At the end, wait for new events instead of ending.'),
});

export const readParametersSchema = z.toJSONSchema(ReadParameters, { io: 'input' });
export const ndjson = 'application/x-ndjson';

const read = parameterReader(readParametersSchema);
// Lines go out together up to this many characters: a system call for each would cost more than the events.
const chunkChars = 32 * 1024;

/**
 * Answers with the events of a selector, one in a line. They are read as the caller takes them: for one who stops
 * reading, a chunk or two are held, and nothing more is read. A read that watches ends, after a whole line, when
 * `intake` is aborted; any read breaks off when `ctx` is done.
 *
 * @throws before anything is sent: what the parameters or the first events have wrong; when watching, only the former.
 */
export async function sendEvents(
  conn: Conn,
  selector: string,
  parameters: Parameters,
  reply: FastifyReply,
  { ctx, intake, logger }: { readonly ctx: Context; readonly intake: AbortSignal; readonly logger: Logger },
): Promise<void> {
  const { after, watch = false, ...rest } = parseParameters(parameters);
  const readCtx = watch ? withSignal(ctx, intake) : ctx;
  const options = { ...rest, watch, ...(after === undefined ? {} : { after: parseEventId(after) }) };
  const chunks = linesOf(conn.read(readCtx, selector, options), watch ? intake : undefined);
  const first = watch ? undefined : await chunks.next();
  reply.hijack();
  reply.raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), 'content-type': ndjson });
  reply.raw.flushHeaders();
  const body = Readable.from(prepend(first, chunks), { objectMode: false, highWaterMark: chunkChars });
  try {
    await pipeline(body, reply.raw, { signal: ctx.signal });
  } catch (error) {
    // The connection is cut by now: nothing else can be told to the client, if it is still there.
    if (!isBreakOff(error)) logger.error(`a stream failed: ${(error as Error).message}`, { selector, err: error });
  }
}

/** Whether this came of a client that left, or of a shutdown that could not wait. */
function isBreakOff(error: unknown): boolean {
  if (DomainError.is(error)) return error.status === 'canceled';
  return ['ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function parseParameters(parameters: Parameters): z.output<typeof ReadParameters> {
  const parsed = ReadParameters.safeParse(read(parameters));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => ({ path: path.map(String), message }));
  throw new InvalidMessageError('the query', faults);
}

async function* linesOf(events: EventStream, ending: AbortSignal | undefined): AsyncGenerator<string> {
  try {
    let chunk = '';
    for await (const event of events.history()) {
      chunk += toLine(event);
      if (chunk.length < chunkChars) continue;
      yield chunk;
      chunk = '';
    }
    if (chunk !== '') yield chunk;
    for await (const event of events) yield toLine(event);
  } catch (error) {
    if (ending?.aborted && DomainError.is(error) && error.status === 'canceled') return;
    throw error;
  }
}

function toLine(event: Event): string {
  return `${JSON.stringify(eventToJson(event))}\n`;
}

async function* prepend(first: IteratorResult<string> | undefined, rest: AsyncGenerator<string>) {
  if (first?.done) return;
  if (first !== undefined) yield first.value;
  yield* rest;
}
