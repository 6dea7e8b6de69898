import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { DataEncodingError } from './errors.ts';

export type DataType = 'json' | 'string' | 'bytes' | 'proto' | 'nil';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const none = new Uint8Array(0);

/**
 * An event's payload: a value of one kind, or the bytes of one. Encoding and decoding happen when first asked for, and
 * once; what is returned is shared by all who ask, so treat it as read-only.
 */
export class Data {
  /** No payload. */
  static readonly nil = new Data('nil', none, undefined);

  /** Any value that JSON can hold. */
  static json(value: unknown): Data {
    return new Data('json', undefined, value);
  }

  static string(text: string): Data {
    return new Data('string', undefined, text);
  }

  /** The bytes are not copied: do not change them afterwards. */
  static bytes(bytes: Uint8Array): Data {
    return new Data('bytes', bytes, bytes);
  }

  /** A protobuf message, with the schema that generated code exports for it. */
  static proto<D extends DescMessage>(schema: D, message: MessageShape<D>): Data {
    return new Data('proto', toBinary(schema, message), undefined);
  }

  /**
   * A payload as a log stored it: its type, and what `text` or else `encode` gave, which is checked when it is decoded.
   *
   * @throws {DataEncodingError} if there is no such type.
   */
  static decode(type: DataType, stored: Uint8Array | string): Data {
    switch (type) {
      case 'nil':
        return Data.nil;
      case 'json':
      case 'string': {
        const data = new Data(type, typeof stored === 'string' ? undefined : stored, undefined);
        if (typeof stored === 'string') data.#text = stored;
        return data;
      }
      case 'bytes':
      case 'proto': {
        const bytes = typeof stored === 'string' ? Buffer.from(stored) : stored;
        return new Data(type, bytes, type === 'bytes' ? bytes : undefined);
      }
      default:
        throw new DataEncodingError(`there are no payloads of the type ${JSON.stringify(type)}`);
    }
  }

  readonly type: DataType;
  #bytes: Uint8Array | undefined;
  #text: string | undefined;
  #value: unknown;

  private constructor(type: DataType, bytes: Uint8Array | undefined, value: unknown) {
    this.type = type;
    this.#bytes = bytes;
    this.#value = value;
  }

  /** @throws {DataEncodingError} if this is not JSON, or is damaged. */
  json<T = unknown>(): T {
    this.#expect('json');
    this.#value ??= this.#decode(() => JSON.parse(this.#textual()));
    return this.#value as T;
  }

  /** @throws {DataEncodingError} if this is not a string, or is damaged. */
  string(): string {
    this.#expect('string');
    this.#value ??= this.#decode(() => this.#textual());
    return this.#value as string;
  }

  /** @throws {DataEncodingError} if this is not bytes. */
  bytes(): Uint8Array {
    this.#expect('bytes');
    return this.#value as Uint8Array;
  }

  /** @throws {DataEncodingError} if this is not a protobuf message, or not one that `schema` can read. */
  proto<D extends DescMessage>(schema: D): MessageShape<D> {
    this.#expect('proto');
    return this.#decode(() => fromBinary(schema, this.encode()));
  }

  /** The payload's bytes: UTF-8 text for json and string. @throws {DataEncodingError} if JSON cannot hold the value. */
  encode(): Uint8Array {
    this.#bytes ??= Buffer.from(this.text() as string);
    return this.#bytes;
  }

  /**
   * The payload as text, for logs that store text as such: JSON, or the string (with U+FFFD for lone surrogates);
   * undefined for the other kinds. @throws {DataEncodingError} if JSON cannot hold the value, or the bytes are damaged.
   */
  text(): string | undefined {
    return this.type === 'json' || this.type === 'string' ? this.#decode(() => this.#textual()) : undefined;
  }

  #textual(): string {
    if (this.#text !== undefined) return this.#text;
    if (this.#bytes !== undefined) this.#text = utf8.decode(this.#bytes);
    else this.#text = this.type === 'string' ? (this.#value as string).toWellFormed() : encodeJson(this.#value);
    return this.#text;
  }

  #expect(type: DataType): void {
    if (this.type !== type) throw new DataEncodingError(`the payload is ${this.type}, not ${type}`);
  }

  #decode<T>(decode: () => T): T {
    try {
      return decode();
    } catch (cause) {
      if (cause instanceof DataEncodingError) throw cause;
      throw new DataEncodingError(`the payload cannot be read as ${this.type}`, { cause });
    }
  }
}

function encodeJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new DataEncodingError('the payload cannot be written as JSON', { cause });
  }
  if (text === undefined) throw new DataEncodingError(`a payload of ${typeof value} cannot be written as JSON`);
  return text;
}
