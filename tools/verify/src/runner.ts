import { type Package, readPackages } from '@samovar/hierarchy/packages';
import { type Outcome, run } from './command.ts';
import { add, type Counts, format, none, type Results, readResults, removeResults } from './results.ts';
import type { Step } from './steps.ts';

export interface RunOptions {
  /** The workspace. */
  readonly root: string;
  /** Stops the run. */
  readonly signal: AbortSignal;
  /** Where the progress goes. On a terminal the running step shows its time. */
  readonly out: { readonly isTTY?: boolean; write(text: string): unknown };
}

/**
 * Runs the steps one after another, also behind one that failed, and writes a line for each, the output of those that
 * failed, and last the counts of all.
 */
export async function runSteps(steps: readonly Step[], { root, signal, out }: RunOptions): Promise<Counts> {
  const packages = readPackages(root);
  const failures = new Set<string>();
  let total = none;
  for (const step of steps) {
    const started = performance.now();
    const done = showProgress(step.name, out);
    const result = await runStep(step, { packages, failures, root, signal }).finally(done);
    if (signal.aborted) {
      out.write('interrupted\n');
      return total;
    }
    total = add(total, result.counts);
    if (result.counts.failed > 0) failures.add(step.name);
    writeResult(step, result, performance.now() - started, out);
  }
  if (failures.size > 0) out.write(`\nfailed: ${[...failures].join(', ')}\n`);
  out.write(`${format(total)}\n`);
  return total;
}

interface StepResult extends Results {
  readonly output: string;
}

interface StepContext extends Pick<RunOptions, 'root' | 'signal'> {
  readonly packages: readonly Package[];
  readonly failures: ReadonlySet<string>;
}

async function runStep(step: Step, { packages, failures, root, signal }: StepContext): Promise<StepResult> {
  const { tests, needs, command } = step;
  if (needs !== undefined && failures.has(needs)) {
    return { counts: { ...none, failed: 1 }, problems: [`not run, because ${needs} failed`], output: '' };
  }
  if (tests === undefined) return countCheck(await run(command, { cwd: root, signal }));
  const tested = packages.filter(({ manifest }) => manifest.scripts?.[tests] !== undefined);
  removeResults(root, tested);
  const outcome = await run(command, { cwd: root, signal });
  return countTests(outcome, readResults(root, tested));
}

function countCheck({ code, output }: Outcome): StepResult {
  return { counts: code === 0 ? { ...none, passed: 1 } : { ...none, failed: 1 }, problems: [], output };
}

function countTests({ code, output }: Outcome, { counts, problems }: Results): StepResult {
  if (code === 0 || counts.failed > 0) return { counts, problems, output };
  const problem = 'the run failed, though no test did';
  return { counts: { ...counts, failed: 1 }, problems: [...problems, problem], output };
}

function writeResult(step: Step, result: StepResult, ms: number, out: RunOptions['out']): void {
  const { counts, problems, output } = result;
  const detail = step.tests === undefined ? '' : `  ${format(counts)}`;
  const mark = counts.failed > 0 ? '✗' : '✓';
  if (counts.failed > 0) out.write(`${output.trimEnd()}\n${problems.map((problem) => `${problem}\n`).join('')}`);
  out.write(`${mark} ${step.name.padEnd(12)}${seconds(ms).padStart(8)}${detail}\n`);
}

/** Shows that a step is running: on a terminal every second, elsewhere every half minute. The result ends it. */
function showProgress(name: string, out: RunOptions['out']): () => void {
  const started = performance.now();
  const show = () => {
    const text = `… ${name.padEnd(12)}${seconds(performance.now() - started).padStart(8)}`;
    out.write(out.isTTY ? `\r${text}` : `${text}\n`);
  };
  if (out.isTTY) show();
  const timer = setInterval(show, out.isTTY ? 1000 : 30_000);
  return () => {
    clearInterval(timer);
    if (out.isTTY) out.write('\r\u001B[K');
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
