import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { MalformedMessageError } from './errors.ts';

const none = Buffer.alloc(0);

/**
 * What a caller has sent, to be read once. gRPC keeps it as long as the call goes on: of thousands that stream, nothing
 * but this object is to stay.
 */
export class EncodedRequest {
  #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Empty, once they are read. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** @throws {MalformedMessageError} */
  read<I extends DescMessage>(type: I): MessageShape<I> {
    const bytes = this.#bytes;
    this.#bytes = none;
    try {
      return fromBinary(type, bytes);
    } catch (error) {
      throw new MalformedMessageError(type.typeName, (error as Error).message);
    }
  }
}
