import type { Generated } from 'kysely';

interface StoredRow {
  readonly id: string;
  readonly stream: string;
  readonly type: string;
  /** As the codec writes it. */
  readonly event: string;
  /** When it was added, in milliseconds since 1970, by the clock of whoever did: for people only. */
  readonly created: number;
  readonly error: string | null;
}

export interface Tables {
  /** What is still to be sent. */
  readonly outbox_rows: StoredRow & {
    /** The order of a stream's rows. */
    readonly seq: Generated<number>;
    /** Characters of `event`. */
    readonly size: number;
    readonly attempts: Generated<number>;
    /** The stream's head before this was sent for the first time, or last looked for; '': it was empty; null: never tried. */
    readonly head: string | null;
  };
  /** What was given up. */
  readonly outbox_skipped: StoredRow & { readonly seq: number; readonly attempts: number };
  /** One row: which relay may send. */
  readonly outbox_relay: {
    readonly id: number;
    /** null: none. */
    readonly owner: string | null;
    /** How often it changed hands. */
    readonly epoch: number;
    /** Changes while the owner is alive. */
    readonly beat: number;
  };
}
