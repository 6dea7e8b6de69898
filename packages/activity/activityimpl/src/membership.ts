import type { Peers } from '@samovar/activity';
import { PeersNews, withRun } from '@samovar/activitycore';
import { background } from '@samovar/context';
import type { Db } from '@samovar/db';
import { v7 as uuid } from 'uuid';
import type { Tables } from './tables.ts';

/** Other workers are given up once their beat has stood still for so many looks. */
const silentLooks = 4;

interface Seen {
  readonly beat: number;
  readonly given: number;
  /** Looks in a row at which the beat was the same. */
  readonly looks: number;
  /** As stored. */
  readonly text: string;
  readonly runs: ReadonlySet<string>;
}

/** The workers that are alive, this one among them. No clocks are compared: whoever is silent is counted out. */
export class Membership {
  readonly #db: Db;
  readonly #news = new PeersNews();
  #self = uuid();
  #runs: ReadonlySet<string> = new Set();
  #seen = new Map<string, Seen>();
  /** The numbers of the look that began last, and of the one by which `#seen` is known. */
  #lastBegun = 0;
  #lastSeen = 0;
  /** Whether it has given something back that the others have not been told of. */
  #hasGiven = false;

  constructor(db: Db) {
    this.#db = db;
  }

  /** This worker's name. It gets another when it was given up: what it had is not its own any more. */
  get self(): string {
    return this.#self;
  }

  async join(): Promise<void> {
    await this.#enter();
    await this.#look(0);
  }

  /** Gives back all that this worker has. */
  async leave(): Promise<void> {
    await this.#db.query<Tables>(background).deleteFrom('activity_workers').where('worker', '=', this.#self).execute();
  }

  onPeers(listener: (peers: Peers) => void): Disposable {
    return this.#news.listen(listener);
  }

  /** From the next look on, the others can see that this worker runs that, too. */
  announce(run: string): void {
    this.#runs = withRun(this.#runs, run);
  }

  /** Tells the others that this worker has given something back; at the latest with its next sign of life. */
  async giveBack(): Promise<void> {
    this.#hasGiven = true;
    await this.#tell(0);
  }

  /** Gives a sign of life, and gives up workers that have given none for long. Whether it was still alive itself. */
  async beat(): Promise<boolean> {
    const wasAlive = await this.#tell(1);
    if (!wasAlive) {
      this.#self = uuid();
      await this.#enter();
    }
    await this.#look(1);
    await this.#giveUpSilent();
    return wasAlive;
  }

  /** How often each worker has given something back, as of now. */
  async given(): Promise<ReadonlyMap<string, number>> {
    await this.#look(0);
    return new Map([...this.#seen].map(([worker, { given }]) => [worker, given]));
  }

  async #enter(): Promise<void> {
    await this.#db
      .query<Tables>(background)
      .insertInto('activity_workers')
      .values({ worker: this.#self, beat: 0, given: 0, runs: textOf(this.#runs) })
      .execute();
  }

  /** Whether this worker is among those that are alive. */
  async #tell(beats: number): Promise<boolean> {
    const hasGiven = this.#hasGiven;
    this.#hasGiven = false;
    try {
      const { numUpdatedRows } = await this.#db
        .query<Tables>(background)
        .updateTable('activity_workers')
        .set((row) => ({ beat: row('beat', '+', beats), given: row('given', '+', hasGiven ? 1 : 0) }))
        .where('worker', '=', this.#self)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    } catch (error) {
      this.#hasGiven ||= hasGiven;
      throw error;
    }
  }

  async #look(looks: number): Promise<void> {
    const began = ++this.#lastBegun;
    const rows = await this.#db.query<Tables>(background).selectFrom('activity_workers').selectAll().execute();
    // One that began later has seen more.
    if (began < this.#lastSeen) return;
    this.#lastSeen = began;
    const before = this.#seen;
    this.#seen = new Map(
      rows.map(({ worker, beat, given, runs: text }) => {
        const last = before.get(worker);
        const runs = last?.text === text ? last.runs : runsIn(text);
        return [worker, { beat, given, looks: last?.beat === beat ? last.looks + looks : 0, text, runs }];
      }),
    );
    await this.#storeRuns();
    this.#tellPeers();
  }

  /** Does so if they are not yet in this worker's row. */
  async #storeRuns(): Promise<void> {
    const seen = this.#seen.get(this.#self);
    const runs = textOf(this.#runs);
    if (seen === undefined || seen.text === runs) return;
    const workers = this.#db.query<Tables>(background).updateTable('activity_workers');
    await workers.set({ runs }).where('worker', '=', this.#self).execute();
  }

  #tellPeers(): void {
    const self = this.#self;
    // Given up: it will have another name.
    if (!this.#seen.has(self)) return;
    const all = [...this.#seen].map(([worker, { runs }]) => ({ worker, runs: worker === self ? this.#runs : runs }));
    this.#news.tell({ self, all });
  }

  async #giveUpSilent(): Promise<void> {
    const silent = [...this.#seen].filter(([worker, { looks }]) => looks >= silentLooks && worker !== this.#self);
    for (const [worker, { beat }] of silent) {
      const workers = this.#db.query<Tables>(background).deleteFrom('activity_workers');
      await workers.where('worker', '=', worker).where('beat', '=', beat).execute();
    }
    if (silent.length > 0) await this.#look(0);
  }
}

function textOf(runs: ReadonlySet<string>): string {
  return JSON.stringify([...runs]);
}

/** None if they cannot be read. */
function runsIn(text: string): ReadonlySet<string> {
  try {
    const runs: unknown = JSON.parse(text);
    return new Set(Array.isArray(runs) && runs.every((run) => typeof run === 'string') ? runs : []);
  } catch {
    return new Set();
  }
}

/** Gives up every worker there is, with all its leases: for a process that knows that it is alone. */
export async function giveUpWorkers(db: Db): Promise<void> {
  await db.query<Tables>(background).deleteFrom('activity_workers').execute();
}
