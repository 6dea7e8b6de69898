import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Page, type PageRequest, type Row, type Selector, type Seq, StoredEvent } from '@samovar/edacore';
import { arrays, upTo } from './sql.ts';
import type { Streams } from './streams.ts';
import type { Tail } from './tail.ts';

/** Bytes or characters of payload in one page, unless its first event has more. */
const pageBytes = 1024 * 1024;
/** Events of other streams looked through for one page. */
const span = 20_000;
const matchesKept = 100_000;
/** Events in a page that are worth learning from it how many match. */
const telling = 100;

const columns = [
  'seq',
  'stream',
  'kind',
  'type',
  'data',
  'time',
  'acked',
  'client',
  'schema',
  'aggregate',
  'cause',
  'meta',
];

/** A statement for each direction; forwards takes the bounds `seq > ? AND seq <= ?`, backwards `seq < ?`. */
interface BothWays {
  readonly forwards: StatementSync;
  readonly backwards: StatementSync;
}

/** What is known of a selector. */
interface Matching {
  readonly byStream: Map<number, boolean>;
  /** Whether most events match, as far as the last page says. */
  isDense: boolean;
}

/** Reads events page by page. */
export class Pages {
  readonly #number: number;
  readonly #streams: Streams;
  readonly #tail: Tail;
  readonly #all: BothWays;
  readonly #selected: BothWays;
  readonly #folded: BothWays;
  readonly #one: StatementSync;
  readonly #matching = new WeakMap<Selector, Matching>();
  /** What the SQL function `selected` says, while a statement that asks it runs. */
  #isSelected: (stream: number) => boolean = () => false;

  constructor(db: DatabaseSync, number: number, streams: Streams, tail: Tail) {
    this.#number = number;
    this.#streams = streams;
    this.#tail = tail;
    db.function('selected', { deterministic: false, directOnly: true }, (stream) =>
      this.#isSelected(stream as number) ? 1 : 0,
    );
    this.#all = bothWays(db, 'events e WHERE', 'e.seq');
    this.#selected = bothWays(db, 'events e WHERE selected(e.stream) AND', 'e.seq');
    this.#folded = bothWays(db, 'stream_events s CROSS JOIN events e ON e.seq = s.seq WHERE s.stream = ? AND', 's.seq');
    this.#one = arrays(db.prepare(`SELECT ${columns.join(', ')} FROM events WHERE seq = ?`));
  }

  page(selector: Selector, request: PageRequest): Page {
    const { backwards, limit } = request;
    const to = Math.min(request.to, this.#tail.tip);
    const bounded = { from: backwards ? Math.min(request.from, to + 1) : request.from, to, limit, backwards };
    return backwards || request.from < to
      ? this.#pageOf(selector, bounded)
      : { events: [], cursor: request.from, more: false };
  }

  at(seqs: readonly Seq[]): StoredEvent[] {
    return seqs.flatMap((seq) => {
      const row = this.#one.get(seq) as unknown as Row | undefined;
      return row === undefined ? [] : this.#eventsOf([row], () => true);
    });
  }

  #pageOf(selector: Selector, request: PageRequest): Page {
    if (selector.kind === 'exact') return this.#stream(selector.text, request);
    if (selector.kind === 'all') return this.#scan(this.#all, request, () => true);
    return this.#scanSelected(selector, request);
  }

  #scanSelected(selector: Selector, request: PageRequest): Page {
    const matching = this.#matchingOf(selector);
    const matches = (stream: number) => this.#isMatch(selector, matching.byStream, stream);
    // SQLite leaves the others out by a call for each event, which takes longer than to hand a few of them over.
    if (matching.isDense && request.limit >= telling) {
      const page = this.#scan(this.#all, request, matches);
      matching.isDense = page.events.length >= request.limit / 2;
      return page;
    }
    let asked = 0;
    // When enough is looked through, whatever comes next is taken, so that the page is full soon.
    this.#isSelected = (stream) => ++asked > span || matches(stream);
    const page = this.#scan(this.#selected, request, matches);
    matching.isDense = page.events.length >= Math.max(asked / 2, telling);
    return page;
  }

  #matchingOf(selector: Selector): Matching {
    let known = this.#matching.get(selector);
    if (known === undefined || known.byStream.size > matchesKept) {
      known = { byStream: new Map(), isDense: false };
      this.#matching.set(selector, known);
    }
    return known;
  }

  #isMatch(selector: Selector, known: Map<number, boolean>, stream: number): boolean {
    let answer = known.get(stream);
    if (answer === undefined) {
      const [name] = this.#streams.names([stream]);
      answer = name !== undefined && selector.matches(name);
      known.set(stream, answer);
    }
    return answer;
  }

  #scan(statements: BothWays, request: PageRequest, matches: (stream: number) => boolean): Page {
    const { rows, isFull } = this.#rows(statements, [], request);
    const events = this.#eventsOf(rows, matches);
    return { events, cursor: isFull ? lastOf(rows) : endOf(request), more: isFull };
  }

  /** What matches, without what is erased, also since it was found to match. */
  #eventsOf(rows: readonly Row[], matches: (stream: number) => boolean): StoredEvent[] {
    const names = this.#streams.names(rows.map((row) => row[1]));
    const events: StoredEvent[] = [];
    for (const [i, row] of rows.entries()) {
      const name = names[i];
      if (name !== undefined && matches(row[1])) events.push(new StoredEvent(this.#number, name, row));
    }
    return events;
  }

  /** The stream's folded events and its others are on different pages; a page may be empty. */
  #stream(name: string, request: PageRequest): Page {
    const state = this.#streams.byName(name);
    if (state === undefined) return { events: [], cursor: endOf(request), more: false };
    const { from, to, backwards } = request;
    const { foldedHead, unfolded } = state;
    const first = unfolded[0] ?? Number.MAX_SAFE_INTEGER;
    const isFolded = backwards ? from <= first : from < foldedHead;
    const bounded = { ...request, to: isFolded ? Math.min(to, foldedHead) : to };
    const { rows, isFull } = isFolded
      ? this.#rows(this.#folded, [state.id], bounded)
      : this.#unfolded(unfolded, request);
    const events = rows.map((row) => new StoredEvent(this.#number, name, row));
    if (isFull) return { events, cursor: lastOf(rows), more: true };
    if (isFolded && !backwards && first <= to) return { events, cursor: bounded.to, more: true };
    if (!isFolded && backwards && foldedHead > 0) return { events, cursor: first, more: true };
    return { events, cursor: endOf(request), more: false };
  }

  #unfolded(seqs: readonly Seq[], { from, to, limit, backwards }: PageRequest): Rows {
    const step = backwards ? -1 : 1;
    const rows: Row[] = [];
    let bytes = 0;
    for (let i = backwards ? countUpTo(seqs, from - 1) - 1 : countUpTo(seqs, from); ; i += step) {
      const seq = seqs[i];
      if (seq === undefined || seq > to) return { rows, isFull: false };
      if (rows.length === limit || bytes >= pageBytes) return { rows, isFull: true };
      const row = this.#one.get(seq) as unknown as Row | undefined;
      // Another process may have erased it since the tail was looked at.
      if (row === undefined) continue;
      rows.push(row);
      bytes += row[4]?.length ?? 0;
    }
  }

  /** What the statement answers, up to the page's limits. */
  #rows(statements: BothWays, first: readonly number[], { from, to, limit, backwards }: PageRequest): Rows {
    const statement = backwards ? statements.backwards : statements.forwards;
    const bounds = backwards ? [...first, from, limit] : [...first, from, to, limit];
    if (limit * this.#tail.largest <= pageBytes) {
      const rows = statement.all(...bounds) as unknown as Row[];
      return { rows, isFull: rows.length === limit };
    }
    const rows: Row[] = [];
    let bytes = 0;
    for (const row of statement.iterate(...bounds) as unknown as Iterable<Row>) {
      rows.push(row);
      bytes += row[4]?.length ?? 0;
      if (bytes >= pageBytes) break;
    }
    return { rows, isFull: rows.length === limit || bytes >= pageBytes };
  }
}

interface Rows {
  readonly rows: readonly Row[];
  /** Whether there may be more than fits. */
  readonly isFull: boolean;
}

function bothWays(db: DatabaseSync, from: string, seq: string): BothWays {
  const select = `SELECT ${columns.map((name) => `e.${name}`).join(', ')} FROM ${from}`;
  return {
    forwards: arrays(db.prepare(`${select} ${seq} > ? AND ${seq} <= ? ORDER BY ${seq} ${upTo}`)),
    backwards: arrays(db.prepare(`${select} ${seq} < ? ORDER BY ${seq} DESC ${upTo}`)),
  };
}

function lastOf(rows: readonly Row[]): Seq {
  return (rows.at(-1) as Row)[0];
}

function endOf({ to, backwards }: PageRequest): Seq {
  return backwards ? 0 : to;
}

/** How many of `seqs` are `seq` or before. */
function countUpTo(seqs: readonly Seq[], seq: Seq): number {
  let [low, high] = [0, seqs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((seqs[middle] as Seq) <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
