import type { Conn } from '@samovar/eda';

/**
 * What a backend may be without.
 * - restart: the log outlives its connections and whatever serves it.
 * - keys: `keyBy`.
 * - parking: `maxDeliver` and what is parked by it; its cases need `keys` as well.
 * - handover: what was acknowledged is never handed out again, however members come and go.
 */
export type Capability = 'restart' | 'keys' | 'parking' | 'handover';

/** A log made for one test. Disposal removes it; all connections are closed before. */
export interface Harness extends AsyncDisposable {
  /** Another connection to the log from this process, with this client name and no logger. */
  connect(client?: string): Promise<Conn>;
  /** Stops and starts again whatever serves the log; all connections are closed before. For the capability `restart`. */
  reopen?(): Promise<void>;
}

/** How the suite reaches a backend. */
export interface Backend {
  /** Makes a new, empty log. */
  open(): Promise<Harness>;
  /** What it is without, each with the reason why. Default: nothing. */
  readonly lacks?: Readonly<Partial<Record<Capability, string>>>;
}
