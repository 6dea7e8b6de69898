import { z } from 'zod';
import { InvalidMessageError, type MessageFault } from './errors.ts';
import { type MessageKind, nameFault } from './names.ts';

export { InvalidMessageError, type MessageFault } from './errors.ts';
export type { MessageKind } from './names.ts';

/** A JSON Schema document of draft 2020-12. */
export type JsonSchema = Record<string, unknown>;

interface MessageType<P> {
  /** `<domain>.<ExportedName>`, unique in a server. */
  readonly name: string;
  /**
   * `value` as the message's struct, defaults filled in.
   *
   * @throws {InvalidMessageError} naming every failing path.
   */
  parse(value: unknown): P;
  /** The struct's JSON Schema, as a sender sees it: fields with a default are optional. */
  jsonSchema(): JsonSchema;
}

interface CallType<A, R, P> extends MessageType<P> {
  readonly args: z.ZodType<P, A>;
  /** The schema of what the handler returns; `z.void()` where it returns nothing. */
  readonly result: z.ZodType<R>;
  /** The JSON Schema of the result, or undefined where there is none. */
  resultJsonSchema(): JsonSchema | undefined;
}

/** A request to change something, answered by one handler. `A` is what travels, `P` what `parse` makes of it. */
export interface CommandType<A, R = void, P = unknown> extends CallType<A, R, P> {
  readonly kind: 'command';
}

/** A question, answered by one handler, that changes nothing. `A` is what travels, `P` what `parse` makes of it. */
export interface QueryType<A, R, P = unknown> extends CallType<A, R, P> {
  readonly kind: 'query';
}

/** Something that has happened, told to any number of listeners. `D` is what travels, `P` what `parse` makes of it. */
export interface EventType<D, P = unknown> extends MessageType<P> {
  readonly kind: 'event';
  readonly data: z.ZodType<P, D>;
  /** The version of the data's shape, from 1 up. */
  readonly version: number;
  /** The name of the durable stream that an event with this data belongs to; undefined: the event is in-process only. */
  readonly stream: ((data: D) => string) | undefined;
  /**
   * Data that was stored under `version`, brought up step by step to today's shape and parsed.
   *
   * @throws {InvalidMessageError} if the result does not fit, or `version` is none that this definition can read.
   */
  upcast(version: number, data: unknown): P;
}

export interface EventOptions<D> {
  /** Names the durable stream of an event; without it the event is in-process only. */
  readonly stream?: (data: D) => string;
  /** Default: 1. Raise it when the shape changes, and add the step from the previous one to `upcast`. */
  readonly version?: number;
  /** From each older version to the next one; every version below `version` has its step. */
  readonly upcast?: Readonly<Record<number, (old: never) => unknown>>;
}

/** The struct that travels, fields with a default being optional: `ArgsOf<typeof GetLetterQuery>`, `ArgsOf<typeof LetterDeleted>`. */
export type ArgsOf<M extends { readonly args: z.ZodType } | { readonly data: z.ZodType }> = M extends {
  readonly args: infer S extends z.ZodType;
}
  ? z.input<S>
  : M extends { readonly data: infer S extends z.ZodType }
    ? z.input<S>
    : never;
/** What the handler of a command or query returns. */
export type ResultOf<M extends { readonly result: z.ZodType }> = z.output<M['result']>;

type Struct = z.ZodObject;

/**
 * Defines a command. The struct's unknown fields are refused when it is parsed. Without `result` it returns nothing.
 *
 * @throws {TypeError} if the name is not `<domain>.<Imperative…>Command`.
 */
export function command<S extends Struct>(name: string, args: S): CommandType<z.input<S>, void, z.output<S>>;
export function command<S extends Struct, R extends z.ZodType>(
  name: string,
  args: S,
  result: R,
): CommandType<z.input<S>, z.output<R>, z.output<S>>;
export function command(name: string, args: Struct, result: z.ZodType = z.void()): CommandType<unknown, unknown> {
  return { kind: 'command', ...call('command', name, typed(args.strict()), result) };
}

/**
 * Defines a query. The struct's unknown fields are refused when it is parsed.
 *
 * @throws {TypeError} if the name is not `<domain>.<…>Query`, or the struct has a field `result`: results are returned.
 */
export function query<S extends Struct, R extends z.ZodType>(
  name: string,
  args: S,
  result: R,
): QueryType<z.input<S>, z.output<R>, z.output<S>> {
  if ('result' in args.shape) throw new TypeError(`${name} has a field 'result': a query returns its result`);
  return { kind: 'query', ...call('query', name, typed<S>(args.strict()), typed<R>(result)) };
}

/**
 * Defines an event. Unknown fields are dropped when its data is parsed, so that an older reader understands a newer
 * writer that added some.
 *
 * @throws {TypeError} if the name is not `<domain>.<PastTense>`, or a step of `upcast` is missing or too many.
 */
export function event<S extends Struct>(
  name: string,
  data: S,
  options: EventOptions<z.input<S>> = {},
): EventType<z.input<S>, z.output<S>> {
  const { version = 1, stream } = options;
  const steps = new Map(Object.entries(options.upcast ?? {}).map(([from, step]) => [Number(from), step]));
  checkSteps(name, version, steps);
  const common = base('event', name, typed<S>(data));
  return {
    kind: 'event',
    ...common,
    data: typed<S>(data),
    version,
    stream,
    upcast(from, old) {
      if (!Number.isInteger(from) || from < 1 || from > version) {
        const message = `version ${from} is unknown: this server reads versions 1 to ${version}`;
        throw new InvalidMessageError(name, [{ path: [], message }]);
      }
      let value = old;
      for (let v = from; v < version; v++) value = steps.get(v)?.(value as never);
      return common.parse(value);
    },
  };
}

/** TypeScript does not see that a schema of type S takes and gives what S does. */
function typed<S extends z.ZodType>(schema: z.ZodType): z.ZodType<z.output<S>, z.input<S>> {
  return schema as z.ZodType<z.output<S>, z.input<S>>;
}

function call<A, R, P>(kind: MessageKind, name: string, args: z.ZodType<P, A>, result: z.ZodType<R>) {
  return {
    ...base(kind, name, args),
    args,
    result,
    resultJsonSchema: () => (result instanceof z.ZodVoid ? undefined : toJsonSchema(result, 'output')),
  };
}

function base<P>(kind: MessageKind, name: string, schema: z.ZodType<P>) {
  const fault = nameFault(kind, name);
  if (fault !== undefined) throw new TypeError(`${kind} name '${name}' ${fault}`);
  return {
    name,
    parse(value: unknown): P {
      const parsed = schema.safeParse(value);
      if (parsed.success) return parsed.data;
      throw new InvalidMessageError(name, parsed.error.issues.map(toFault));
    },
    jsonSchema: () => toJsonSchema(schema, 'input'),
  };
}

function toFault({ path, message }: z.core.$ZodIssue): MessageFault {
  return { path: path.map((key) => (typeof key === 'symbol' ? String(key) : key)), message };
}

function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...document } = z.toJSONSchema(schema, { io });
  return document;
}

function checkSteps(name: string, version: number, steps: ReadonlyMap<number, unknown>): void {
  if (!Number.isInteger(version) || version < 1) throw new TypeError(`${name}: version ${version} is not 1, 2, 3…`);
  for (let v = 1; v < version; v++) {
    if (!steps.has(v)) throw new TypeError(`${name}: upcast has no step from version ${v}`);
  }
  for (const v of steps.keys()) {
    if (!(v >= 1 && v < version))
      throw new TypeError(`${name}: upcast has a step from ${v}, which is not below ${version}`);
  }
}
