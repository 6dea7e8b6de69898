import type { Bus } from '@samovar/bus';
import { GetRepoQuery, ScanProgressed, type Uuid } from '@samovar/repos';
import { MultiBar, type SingleBar } from 'cli-progress';
import { commits, type Output, thousands } from './output.ts';

/** How far the recording of a repository is, as people see it. */
interface ProgressView {
  show(repo: { readonly repoId: Uuid; readonly name: string }, recorded: number, total: number | null): void;
  end(): void;
}

/** Shows what the bus tells of scans, until it is disposed of. */
export function showProgress(bus: Bus, output: Output): Disposable {
  const view = output.canvas === undefined ? new ProgressLines(output) : new ProgressBars(output.canvas);
  const names = new Map<Uuid, string>();
  const listener = bus.addEventListener(ScanProgressed, async (ctx, { repoId, recorded, total }) => {
    const name = names.get(repoId) ?? (await bus.dispatch(ctx, GetRepoQuery, { repoId })).name;
    names.set(repoId, name);
    view.show({ repoId, name }, recorded, total);
  });
  return {
    [Symbol.dispose]() {
      listener[Symbol.dispose]();
      view.end();
    },
  };
}

/** A bar for each repository that has something to record. */
class ProgressBars implements ProgressView {
  readonly #stream: NodeJS.WriteStream;
  readonly #barOf = new Map<Uuid, SingleBar>();
  #bars: MultiBar | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show({ repoId, name }: { repoId: Uuid; name: string }, recorded: number, total: number | null): void {
    if (recorded === 0 && !total) return;
    this.#bars ??= this.#begin();
    const bar = this.#barOf.get(repoId) ?? this.#bars.create(total ?? recorded, recorded, { name });
    this.#barOf.set(repoId, bar);
    bar.setTotal(total ?? recorded);
    bar.update(recorded);
  }

  end(): void {
    this.#bars?.stop();
  }

  #begin(): MultiBar {
    const format = '{bar} {value} of {total} commits of {name}';
    return new MultiBar({ stream: this.#stream, format, formatValue, hideCursor: true, fps: 10 });
  }
}

function formatValue(value: number, _: unknown, type: string): string {
  return type === 'percentage' ? String(value) : thousands(value);
}

const lineEveryMs = 1_000;

/** One line a second, for the repository that made progress then. */
class ProgressLines implements ProgressView {
  readonly #output: Output;
  #last: number | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  show({ name }: { name: string }, recorded: number, total: number | null): void {
    const now = performance.now();
    this.#last ??= now;
    if (now - this.#last < lineEveryMs) return;
    this.#last = now;
    const done = total === null ? commits(recorded) : `${thousands(recorded)} of ${commits(total)}`;
    this.#output.line(`recorded ${done} of ${name}`);
  }

  end(): void {}
}
