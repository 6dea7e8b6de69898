import { setTimeout } from 'node:timers/promises';
import { type CancelScope, type Context, withCancel } from '@samovar/context';
import type { Dispatcher } from './tools.ts';
import { findWorkflow, type WorkflowName } from './workflow.ts';

/**
 * Runs what takes long, and cancels it when the workflow is to be canceled, or is over: that is looked for every so many
 * milliseconds.
 *
 * @throws what `fn` throws, unless it was canceled for that.
 */
export async function unlessCanceling(
  bus: Dispatcher,
  ctx: Context,
  workflow: WorkflowName,
  everyMs: number,
  fn: (ctx: Context) => Promise<void>,
): Promise<void> {
  using scope = withCancel(ctx);
  const canceling = isCanceling(bus, scope, workflow, everyMs);
  try {
    await fn(scope.ctx);
    scope.cancel();
  } catch (error) {
    scope.cancel();
    if (!(await canceling)) throw error;
  }
}

/** Whether it was found to be so, which cancels the scope, before that was done for another reason. */
async function isCanceling(bus: Dispatcher, scope: CancelScope, name: WorkflowName, everyMs: number): Promise<boolean> {
  const { ctx } = scope;
  for (;;) {
    try {
      await setTimeout(everyMs, undefined, { signal: ctx.signal });
      const workflow = await findWorkflow(bus, ctx, name);
      if (workflow === undefined || workflow.isCanceling || workflow.state === 'finished') break;
    } catch {
      if (ctx.signal.aborted) return false;
    }
  }
  scope.cancel();
  return true;
}
