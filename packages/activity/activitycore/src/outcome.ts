import { canceled, type Outcome, retry, type Tail } from '@samovar/activity';
import { DomainError } from '@samovar/errors';

const kinds: readonly string[] = ['completed', 'endOfStream', 'canceled', 'retry'] satisfies Outcome['kind'][];

/** How `run` has ended, whatever it answers or throws. `tail` is the last one known. Never rejects. */
export async function outcomeOf(run: () => Promise<Outcome>, tail: Tail): Promise<Outcome> {
  const outcome = await answerOf(run, tail);
  return outcome.kind === 'retry' && isCanceled(outcome.error) ? canceled(outcome.tail) : outcome;
}

/** Whether a run was ended by somebody, in any library's words. */
function isCanceled(error: unknown): boolean {
  if (DomainError.is(error)) return error.status === 'canceled';
  if (!(error instanceof Error)) return false;
  // A command that exits with 1 has that code, too; gRPC's errors have metadata.
  return error.name === 'AbortError' || ('code' in error && error.code === 1 && 'metadata' in error);
}

/** Whether another worker has the lease, also in the words of another copy of the contract. */
export function isStale(error: unknown): boolean {
  return DomainError.is(error) && error.id === 'activity.staleLease';
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

async function answerOf(run: () => Promise<Outcome>, tail: Tail): Promise<Outcome> {
  try {
    const outcome = await run();
    if (!isOutcome(outcome)) throw new TypeError('the activity has answered with no outcome');
    return outcome.kind === 'retry' ? retry(outcome.tail, asError(outcome.error)) : outcome;
  } catch (error) {
    return retry(tail, asError(error));
  }
}

function isOutcome(answer: unknown): answer is Outcome {
  const { kind, tail } = (answer ?? {}) as Partial<Outcome>;
  return kinds.includes(String(kind)) && (tail === null || typeof tail === 'string');
}
