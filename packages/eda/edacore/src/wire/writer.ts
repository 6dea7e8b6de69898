/** Where messages are written, one after another; what does not fit is written elsewhere. */
const memory = Buffer.allocUnsafeSlow(64 * 1024);

const varint = 0;
const lengthDelimited = 2;

/**
 * Writes one protobuf message, and not another one meanwhile: they share memory. To give each its own, and what becomes of
 * it as well, takes longer than all the writing, which is why this is no `BinaryWriter`.
 */
export class Writer {
  #bytes: Buffer = memory;
  #length = 0;

  /** A whole number that is not negative. */
  uint(field: number, value: number): void {
    this.#uint(field * 8 + varint);
    this.#uint(value);
  }

  /** A whole number of either sign, as a `sint64`. */
  sint(field: number, value: number): void {
    this.#uint(field * 8 + varint);
    // Twice the value may be more than a number can tell.
    const half = value < 0 ? -value - 1 : value;
    const [low, high] = [(half % 64) * 2 + (value < 0 ? 1 : 0), Math.floor(half / 64)];
    this.#reserve(1);
    this.#bytes[this.#length++] = low | (high > 0 ? 0x80 : 0);
    if (high > 0) this.#uint(high);
  }

  text(field: number, value: string): void {
    const size = Buffer.byteLength(value);
    const start = this.#delimited(field, size);
    this.#bytes.write(value, start, size);
  }

  bytes(field: number, value: Uint8Array): void {
    const start = this.#delimited(field, value.length);
    this.#bytes.set(value, start);
  }

  /** What is written from now on until `end` is told what this answers is a message in this field. */
  begin(field: number): number {
    return this.#delimited(field, 0);
  }

  end(start: number): void {
    const size = this.#length - start;
    let more = 0;
    for (let rest = size; rest >= 0x80; rest >>>= 7) more++;
    this.#reserve(more);
    // There is one byte for the size.
    if (more > 0) this.#bytes.copyWithin(start + more, start, this.#length);
    this.#length = start - 1;
    this.#uint(size);
    this.#length += size;
  }

  /** All that was written. */
  finish(): Uint8Array {
    const message = Buffer.allocUnsafe(this.#length);
    this.#bytes.copy(message, 0, 0, this.#length);
    return message;
  }

  /** Begins a field of so many bytes. Answers with where they are to be. */
  #delimited(field: number, size: number): number {
    this.#uint(field * 8 + lengthDelimited);
    this.#uint(size);
    this.#reserve(size);
    const start = this.#length;
    this.#length += size;
    return start;
  }

  #uint(value: number): void {
    this.#reserve(8);
    let rest = value;
    for (; rest >= 2 ** 31; rest = Math.floor(rest / 0x80)) this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + size));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
