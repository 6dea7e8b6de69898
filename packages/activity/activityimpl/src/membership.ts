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
}

/** The workers that are alive, this one among them. No clocks are compared: whoever is silent is counted out. */
export class Membership {
  readonly #db: Db;
  #self = uuid();
  #seen = new Map<string, Seen>();
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
    await this.#db
      .query<Tables>(background)
      .insertInto('activity_workers')
      .values({ worker: this.#self, beat: 0, given: 0 })
      .execute();
  }

  /** Gives back all that this worker has. */
  async leave(): Promise<void> {
    await this.#db.query<Tables>(background).deleteFrom('activity_workers').where('worker', '=', this.#self).execute();
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
      await this.join();
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
    const rows = await this.#db.query<Tables>(background).selectFrom('activity_workers').selectAll().execute();
    const before = this.#seen;
    this.#seen = new Map(
      rows.map(({ worker, beat, given }) => {
        const last = before.get(worker);
        return [worker, { beat, given, looks: last?.beat === beat ? last.looks + looks : 0 }];
      }),
    );
  }

  async #giveUpSilent(): Promise<void> {
    for (const [worker, { beat, looks }] of this.#seen) {
      if (looks < silentLooks || worker === this.#self) continue;
      const workers = this.#db.query<Tables>(background).deleteFrom('activity_workers');
      await workers.where('worker', '=', worker).where('beat', '=', beat).execute();
    }
  }
}

/** Gives up every worker there is, with all its leases: for a process that knows that it is alone. */
export async function giveUpWorkers(db: Db): Promise<void> {
  await db.query<Tables>(background).deleteFrom('activity_workers').execute();
}
