import { type ChildProcess, spawn } from 'node:child_process';

/** How long a command may take to stop by itself. */
const patience = 10_000;

/**
 * Runs a command in `cwd` with no input, and settles when it has ended. When `signal` is aborted, the command and all it
 * started are told to stop, and are killed after ten seconds.
 *
 * @throws {Error} with what it wrote, if it fails or was stopped.
 */
export async function run(command: readonly [string, ...string[]], cwd: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const [program, ...args] = command;
  const shown = [program, ...args.slice(0, 3)].join(' ');
  // A process group of its own: a Ctrl-C in the terminal reaches it through the signal only, one way for all.
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const send = (name: NodeJS.Signals) => signalGroup(child, name);
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    send('SIGTERM');
    timer = setTimeout(() => send('SIGKILL'), patience);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', (cause) => reject(new Error(`${shown} cannot be run: ${cause.message}`, { cause })));
      child.on('close', resolve);
    });
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`${shown} failed:\n${Buffer.concat(chunks).toString().trim()}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function signalGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
