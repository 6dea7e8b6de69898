import type { EventId } from '@samovar/eda';
import type { Backend } from '../backend.ts';
import { decodeId, type Seq } from '../ids.ts';
import type { Offset, Parked } from '../stored.ts';
import type { Terms } from './options.ts';

/** Where a subscription begins to deliver. */
interface Beginning {
  readonly backend: Backend;
  readonly terms: Terms;
  readonly offset: Offset;
  readonly parked: Parked;
  /** The first event that another process was handed and has not acknowledged. */
  readonly elsewhere: Seq | undefined;
}

/** The last event up to which everything is acknowledged, where some are parked, or with other processes. */
export class LastAcked {
  readonly #beginning: Beginning;
  readonly #onFound: () => void;
  /** The first event that was not acknowledged at the beginning. */
  readonly #first: Seq;
  #before: { readonly first: Seq; readonly id: EventId | null };

  /** `onFound` is called when it is not what it was said to be until then, as that had to be looked up. */
  constructor(beginning: Beginning, onFound: () => void) {
    this.#beginning = beginning;
    this.#onFound = onFound;
    this.#first = firstOf(beginning);
    this.#before = { first: this.#first, id: beginning.offset.last };
  }

  /** Where everything up to `resolved` is acknowledged, save what is parked, waits or is elsewhere, of which `open` is the first. */
  of(resolved: EventId | null, open: Seq | undefined): EventId | null {
    if (open === undefined || resolved === null || decodeId(resolved).seq < open) return resolved;
    if (this.#before.first !== open) void this.#find(open, this.#before);
    return this.#before.id;
  }

  async #find(first: Seq, before: { readonly first: Seq; readonly id: EventId | null }): Promise<void> {
    this.#before = { first, id: before.id };
    try {
      const id = await lastUpTo(this.#beginning, this.#first, first - 1);
      if (this.#before.first !== first) return;
      this.#before = { first, id };
      this.#onFound();
    } catch {
      // It is looked up again when it is asked for next.
      if (this.#before.first === first) this.#before = before;
    }
  }
}

/** The last event up to which everything was acknowledged, parked, waiting or elsewhere when delivering began. */
export async function lastResolved(beginning: Beginning): Promise<EventId | null> {
  const [begin, first] = [beginOf(beginning.offset), firstOf(beginning)];
  return first < begin ? lastUpTo(beginning, first, begin - 1) : beginning.offset.last;
}

/** The last matching event up to `seq`, if it is of those from `first` on; as far as can be seen at once. */
async function lastUpTo({ backend, terms, offset }: Beginning, first: Seq, seq: Seq): Promise<EventId | null> {
  const event = await backend.lastUpTo(terms.selector, seq);
  return event === undefined || event.seq < first ? offset.last : event.id;
}

/** The first event that was not acknowledged, parked, waiting or elsewhere. */
function beginOf({ pending, high }: Offset): Seq {
  return pending[0]?.[0] ?? high + 1;
}

/** The first event that was not acknowledged. */
function firstOf({ offset, parked, elsewhere }: Beginning): Seq {
  const firsts = [beginOf(offset), elsewhere, parked.rows(0, 1)[0]?.seq, parked.firstWaiting()];
  return Math.min(...firsts.filter((first) => first !== undefined));
}
