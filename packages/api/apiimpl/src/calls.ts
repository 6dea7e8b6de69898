import type { AnyCall, Bus } from '@samovar/bus';
import { closest, distance } from 'fastest-levenshtein';
import { UnknownMessageError } from './errors.ts';
import { type ParameterReader, parameterReader } from './parameters.ts';

/** A command or query that is handled. */
export class Call {
  readonly message: AnyCall;
  #reader: ParameterReader | undefined;

  constructor(message: AnyCall) {
    this.message = message;
  }

  /** Made when first asked for. */
  get readParameters(): ParameterReader {
    this.#reader ??= parameterReader(this.message.jsonSchema());
    return this.#reader;
  }
}

/** What the bus handles, by name; kept, and looked up afresh when a name is not among it. */
export class Calls {
  readonly #bus: Bus;
  #calls: ReadonlyMap<string, Call> = new Map();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** @throws {UnknownMessageError} naming the one most like it. */
  get(name: string): Call {
    const known = this.#calls.get(name);
    if (known !== undefined) return known;
    const messages = this.#bus.catalogue().flatMap((entry) => ('handledAt' in entry ? [entry.message] : []));
    this.#calls = new Map(
      messages.map((message) => [message.name, this.#calls.get(message.name) ?? new Call(message)]),
    );
    const found = this.#calls.get(name);
    if (found === undefined) throw new UnknownMessageError(name, nearest(name, [...this.#calls.keys()]));
    return found;
  }
}

function nearest(name: string, names: readonly string[]): string | undefined {
  const best = closest(name, names);
  return best !== undefined && distance(name, best) <= name.length / 3 ? best : undefined;
}
