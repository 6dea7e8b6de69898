import { type ChildProcess, spawn } from 'node:child_process';

export interface Outcome {
  /** Its exit code; null when it could not be started or a signal ended it. */
  readonly code: number | null;
  /** What it wrote, standard output and error together. */
  readonly output: string;
}

/** How long a command may take to stop by itself. */
const patience = 10_000;

/**
 * Runs a command in `cwd` with no input, in colour where this process writes to a terminal. When `signal` is aborted, the command and all it started are told to stop, and
 * are killed after ten seconds. Settles when it has ended; never rejects.
 */
export function run(
  [program, ...args]: readonly [string, ...string[]],
  { cwd, signal }: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<Outcome> {
  if (signal.aborted) return Promise.resolve({ code: null, output: '' });
  const color = process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' };
  const env = { ...color, ...process.env, TURBO_TELEMETRY_DISABLED: '1' };
  // A process group of its own, so that one signal reaches the command's own children too.
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    signalGroup(child, 'SIGTERM');
    timer = setTimeout(() => signalGroup(child, 'SIGKILL'), patience);
  };
  signal.addEventListener('abort', stop, { once: true });
  return new Promise<Outcome>((resolve) => {
    child.on('error', (error) => resolve({ code: null, output: `${program} cannot be run: ${error.message}\n` }));
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  }).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  });
}

function signalGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
