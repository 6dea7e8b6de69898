import { background, type Context, withCancel } from '@samovar/context';

/** One Ctrl-C comes several times where a package manager in between hands it on to a process that has it already. */
const oneSignalMs = 500;

/** What the operator's signals end. */
export interface Interrupts {
  /** Done with the first Ctrl-C, SIGTERM or SIGHUP. */
  readonly ctx: Context;
  /** Aborted with the second one. */
  readonly hurry: AbortSignal;
}

/** From now on for the rest of the process, signals do not end it; `onFirst` is called with the first. */
export function interrupts(onFirst: () => void): Interrupts {
  const { ctx, cancel } = withCancel(background);
  const hurry = new AbortController();
  let stoppedAt: number | undefined;
  const onSignal = () => {
    if (stoppedAt === undefined) {
      stoppedAt = performance.now();
      onFirst();
      cancel();
    } else if (performance.now() - stoppedAt > oneSignalMs) {
      hurry.abort();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
  return { ctx, hurry: hurry.signal };
}
