/** How much a benchmark is to do. */
export interface Effort {
  /** Rounds that count. */
  readonly rounds: number;
  /** Of a round's work: 1 is all of it. Less shows that it works, not how fast. */
  readonly share: number;
  /** A folder with peers that are no part of this workspace. */
  readonly peers?: string | undefined;
}

/** So much of `count` as is to be done, in whole steps, and at least one. */
export function part({ share }: Effort, count: number, step = 1): number {
  return Math.max(1, Math.round((count * share) / step)) * step;
}

/** One way of doing the work. */
export interface Contender {
  readonly name: string;
  /** Does the work once and returns what it came to, such as nanoseconds for one call, or events a second. */
  readonly round: () => Promise<number>;
}

export interface Measured {
  readonly name: string;
  /** One for each round, in order. */
  readonly values: readonly number[];
}

/** A contender whose rounds come to several numbers, each with a name. */
export class Several<Name extends string> implements Contender {
  readonly name: string;
  readonly #work: () => Promise<Readonly<Record<Name, number>>>;
  readonly #rounds: Readonly<Record<Name, number>>[] = [];

  constructor(name: string, work: () => Promise<Readonly<Record<Name, number>>>) {
    this.name = name;
    this.#work = work;
  }

  /** Its own number says nothing: ask `of`. */
  async round(): Promise<number> {
    this.#rounds.push(await this.#work());
    return this.#rounds.length;
  }

  /** What the rounds that count came to. */
  of(name: Name, { rounds }: Pick<Effort, 'rounds'>): Measured {
    return { name: this.name, values: this.#rounds.slice(-rounds).map((round) => round[name]) };
  }
}

/** Runs the part of a round that counts. */
export type Time = (work: () => Promise<void>) => Promise<void>;

/**
 * Lets the contenders take turns, so that what the machine does meanwhile falls on all alike. Every other round runs
 * in reverse order. What they come to in `warmUps` rounds before does not count.
 */
export async function measure(
  contenders: readonly Contender[],
  { rounds, warmUps = 1 }: { rounds: number; warmUps?: number },
): Promise<Measured[]> {
  const measured = contenders.map(({ name }) => ({ name, values: [] as number[] }));
  for (let round = -warmUps; round < rounds; round++) {
    const turn = contenders.map((contender, i) => ({ contender, values: measured[i]?.values }));
    for (const { contender, values } of round % 2 === 0 ? turn : turn.reverse()) {
      const value = await contender.round();
      if (round >= 0) values?.push(value);
    }
  }
  return measured;
}

/** How many seconds `work` takes. */
export async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** `a`'s values by `b`'s, each round by its own: the median. */
export function ratio(a: Measured, b: Measured): number {
  return median(a.values.map((value, round) => value / (b.values[round] ?? Number.NaN)));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** The least value that so many percent of all do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}

/** The median, and the least and greatest value. */
export function summary({ values }: Measured): string {
  return `${short(median(values))} | ${short(Math.min(...values))}–${short(Math.max(...values))}`;
}

/** A Markdown table. A cell may span several columns by holding ` | `. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = head.join(' | ').split(' | ');
  const rule = columns.map((_, i) => (i === 0 ? '---' : '---:'));
  return [columns, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Three significant digits: 87.3, 1,240, 412,000. */
export function short(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
