import type { Context } from '@samovar/context';
import { ListRegisteredReposQuery } from '@samovar/registry';
import type { Workflow, WorkOutcome } from '@samovar/workflows';
import type { Dispatcher } from './tools.ts';

/** The step of the work that says which repositories were asked: each answers by a step of its own. */
export const askedStep = 'asked';

/** The repositories of a workflow's registry. */
export async function repoIdsOf(bus: Dispatcher, ctx: Context, { registry }: Workflow): Promise<string[]> {
  const repos = await bus.dispatch(ctx, ListRegisteredReposQuery, { registry });
  return repos.map(({ repoId }) => repoId);
}

/** The repositories that were asked; undefined: that is not through yet. */
export function askedOf({ progress }: Workflow): readonly string[] | undefined {
  const details = progress.find(({ step }) => step === askedStep)?.details;
  return details?.repoIds as readonly string[] | undefined;
}

/** The answers of those that were asked, and who is missing. */
export function answersOf({ progress }: Workflow, asked: readonly string[]) {
  const details = new Map(progress.map((step) => [step.step, step.details]));
  return {
    answers: asked.flatMap((repoId) => {
      const answer = details.get(repoId);
      return answer === undefined ? [] : [{ repoId, ...answer }];
    }),
    missing: asked.filter((repoId) => !details.has(repoId)),
  };
}

export function succeeded(details: ReturnType<typeof answersOf>): WorkOutcome {
  return { kind: 'succeeded', details };
}
