import { spawn } from 'node:child_process';
import { addAbortListener } from 'node:events';
import { devNull } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { type Context, throwIfDone } from '@samovar/context';
import { GitMissingError } from '@samovar/repos';

/** git ended with an error. */
export class GitFailedError extends Error {
  /** null: a signal ended it. */
  readonly exitCode: number | null;
  /** What git said, as one line. */
  readonly words: string;

  constructor(exitCode: number | null, words: string) {
    super(`git failed: ${words}`);
    this.name = 'GitFailedError';
    this.exitCode = exitCode;
    this.words = words;
  }
}

const inherited =
  /^GIT_(?:CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)|EXEC_PATH|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)$/;

/**
 * What git runs in: the user's configuration, but nothing that points at another repository, as when we are started
 * from a hook. Grafts and replacements are left out, since they change and what is recorded does not.
 */
export function gitEnvironment(base: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(base).filter(([name]) => !name.startsWith('GIT_') || inherited.test(name));
  return {
    ...Object.fromEntries(own),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_GRAFT_FILE: devNull,
  };
}

/** git gives advice on grafts, although they are off. */
const options = ['-c', 'advice.graftFileDeprecated=false'];

const longestComplaint = 1000;

/**
 * Runs git in the folder `path` and gives what it prints, as it prints it: git waits while nobody reads. Leaving the loop
 * early, or the end of `ctx`, ends git and all that it has started.
 *
 * @throws {GitFailedError} behind what git printed before it failed.
 * @throws {GitMissingError} @throws {CanceledError} @throws {DeadlineExceededError}
 */
export async function* gitOutput(
  ctx: Context,
  env: NodeJS.ProcessEnv,
  path: string,
  args: readonly string[],
  input: string | AsyncIterable<Buffer> = '',
): AsyncGenerator<Buffer> {
  throwIfDone(ctx);
  const child = spawn('git', ['-C', path, ...options, ...args], {
    env,
    stdio: 'pipe',
    windowsHide: true,
    // A group of its own: git that is ended does not end the git it has started.
    detached: hasGroups,
  });
  let running = true;
  const end = () => {
    if (running) endGroup(child.pid);
  };
  using _listener = addAbortListener(ctx.signal, end);
  const fault = new Promise<Error | undefined>((resolve) => {
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < longestComplaint) said += text;
    });
    child.once('error', resolve);
    child.once('close', (code, signal) => {
      running = false;
      resolve(code === 0 ? undefined : new GitFailedError(code, words(said, signal)));
    });
  });
  // A git that fails early does not read its input; its exit code says why.
  const fed = pipeline(typeof input === 'string' ? [input] : input, child.stdin).catch(() => {});
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const error = await fault;
    throwIfDone(ctx);
    if (error !== undefined) throw isMissing(error) ? new GitMissingError({ cause: error }) : error;
  } finally {
    end();
    await Promise.all([fault, fed]);
  }
}

/** All that git prints, as text. @throws as {@link gitOutput} does. */
export async function gitText(...call: Parameters<typeof gitOutput>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of gitOutput(...call)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function words(said: string, signal: NodeJS.Signals | null): string {
  const text = said
    .slice(0, longestComplaint)
    .trim()
    .replace(/^(?:fatal|error): /gm, '')
    .replace(/\s*\n\s*/g, '; ');
  return text === '' ? `it was ended by ${signal ?? 'an error'} and said nothing` : text;
}

const hasGroups = process.platform !== 'win32';

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(hasGroups ? -pid : pid);
  } catch {
    // It has just ended by itself.
  }
}

function isMissing(error: Error): boolean {
  return 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES');
}
