import type { Context } from '@samovar/context';
import type { Logger } from '@samovar/eda';
import { type ChangeListener, Changes } from './changes.ts';
import type { Place, Scans } from './scans.ts';

/** git makes several changes for one commit: they are recorded together. */
const settlingMs = 50;

/**
 * A repository that is observed in this process. Where its files are here, too, their changes are seen: `onChange` is
 * called soon after. Disposal ends that.
 */
export class ObservedRepo implements ChangeListener, AsyncDisposable {
  readonly #place: Place;
  readonly #scans: Scans;
  readonly #logger: Logger;
  readonly #onChange: () => void;
  #changes: Promise<Changes | undefined>;
  #settling: NodeJS.Timeout | undefined;
  #isChanged = false;
  #isBlind = false;
  #isClosed = false;

  constructor(place: Place, scans: Scans, logger: Logger, onChange: () => void) {
    this.#place = place;
    this.#scans = scans;
    this.#logger = logger;
    this.#onChange = onChange;
    this.#changes = this.#watch();
  }

  /** Whether a change was seen that no scan has begun after. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /**
   * Records what is new, once changes are watched: what comes later is seen.
   *
   * @throws why `ctx` is done, and nothing else.
   */
  async scan(ctx: Context): Promise<void> {
    await this.#changes;
    const wasChanged = this.#isChanged;
    this.#isChanged = false;
    try {
      const isRecovered = await this.#scans.scan(ctx, this.#place);
      // What was watched may be gone, even if there is something in its place.
      if (isRecovered) this.#watchAnew();
    } catch (error) {
      this.#isChanged ||= wasChanged;
      throw error;
    }
  }

  changed(): void {
    if (this.#isClosed) return;
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      this.#isChanged = true;
      this.#onChange();
    }, settlingMs);
  }

  failed(error: unknown): void {
    if (!this.#isBlind) this.#logger.warn('changes are not seen at once', { path: this.#place.path, err: error });
    this.#isBlind = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#settling);
    await (await this.#changes)?.[Symbol.asyncDispose]();
  }

  /** undefined: there is no repository here. Whether there is one on the server, a scan tells. */
  async #watch(): Promise<Changes | undefined> {
    try {
      return this.#isClosed ? undefined : await Changes.watch(this.#place.path, this);
    } catch {
      return undefined;
    }
  }

  #watchAnew(): void {
    this.#changes = this.#changes.then(async (old) => {
      await old?.[Symbol.asyncDispose]();
      const changes = await this.#watch();
      this.changed();
      return changes;
    });
  }
}
