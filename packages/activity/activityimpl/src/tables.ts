import type { Tail } from '@samovar/activity';

export interface Tables {
  readonly activity_workers: {
    readonly worker: string;
    /** Grows as long as the worker lives. */
    readonly beat: number;
    /** Grows when the worker has given something back. */
    readonly given: number;
    /** What it runs, as `Peer.runs` has it: a JSON array of strings. */
    readonly runs: string;
  };
  readonly activity_leases: {
    /** The stream of its entity, `/`, and its name. */
    readonly activity: string;
    /** null, or one that is not among the workers: nobody has it. */
    readonly worker: string | null;
    readonly epoch: number;
    readonly tail: Tail;
    /** 0 or 1. */
    readonly completed: number;
  };
}
