import type { Outcome, RepoWorkflowActivity, Tail } from '@samovar/activity';
import type { Context } from '@samovar/context';
import type { EventStream } from '@samovar/eda';
import {
  Bundle,
  BundleRepoCommand,
  DiscardBundleCommand,
  GetRepoQuery,
  MarkRepoArchivedCommand,
  RepoArchivedError,
  type Uuid,
} from '@samovar/repos';
import type { Workflow, WorkOutcome } from '@samovar/workflows';
import { unlessCanceling } from './canceling.ts';
import { isError } from './errors.ts';
import { eachTime } from './outcomes.ts';
import type { Dispatcher } from './tools.ts';
import { commitWorkflow, completeWorkflow, findWorkflow, progressWorkflow } from './workflow.ts';

const bundledStep = 'bundled';
const permanent = ['repos.notARepository', 'repos.notFound', 'repos.unreadable', 'repos.archived'] as const;
const longestError = 4_096;

/**
 * Packs a repository into a bundle, then marks it as archived. Each step is decided on by what is recorded, and may be
 * done again: interrupted anywhere, the work goes on there.
 */
export class ArchiveRepo implements RepoWorkflowActivity {
  readonly #bus: Dispatcher;
  readonly #registry: string;
  readonly #lookEveryMs: number;

  /** `registry` is the one that the workflows are in. A workflow to be canceled is so within `lookEveryMs` milliseconds. */
  constructor(bus: Dispatcher, registry: string, lookEveryMs = 2_000) {
    this.#bus = bus;
    this.#registry = registry;
    this.#lookEveryMs = lookEveryMs;
  }

  processRepoWorkflowEvents(
    ctx: Context,
    repoId: Uuid,
    workflowId: Uuid,
    tail: Tail,
    events: EventStream,
  ): Promise<Outcome> {
    return eachTime(tail, events, async () => {
      for (;;) {
        const workflow = await findWorkflow(this.#bus, ctx, { registry: this.#registry, workflowId });
        if (workflow === undefined || workflow.state === 'finished') return true;
        if (workflow.outcome === null) await this.#work(ctx, repoId, workflow);
        else await this.#conclude(ctx, repoId, workflow, workflow.outcome);
      }
    });
  }

  /** The next step. */
  async #work(ctx: Context, repoId: Uuid, workflow: Workflow): Promise<void> {
    const complete = (outcome: WorkOutcome) => completeWorkflow(this.#bus, ctx, workflow, outcome);
    if (workflow.isCanceling) {
      await this.#discard(ctx, repoId, workflow);
      await complete({ kind: 'canceled' });
      return;
    }
    try {
      const bundled = workflow.progress.find(({ step }) => step === bundledStep)?.details;
      await this.#checkArchive(ctx, repoId, bundled);
      if (bundled === undefined) await this.#bundle(ctx, repoId, workflow);
      else await complete({ kind: 'succeeded', details: bundled });
    } catch (error) {
      if (!isError(error, ...permanent)) throw error;
      await complete({ kind: 'failed', error: error.publicMessage.slice(0, longestError) });
    }
  }

  /** What follows from the outcome. */
  async #conclude(ctx: Context, repoId: Uuid, workflow: Workflow, outcome: WorkOutcome): Promise<void> {
    if (outcome.kind === 'succeeded') await this.#mark(ctx, repoId, Bundle.parse(outcome.details));
    else await this.#discard(ctx, repoId, workflow);
    await commitWorkflow(this.#bus, ctx, workflow);
  }

  /** @throws {RepoArchivedError} if the repository is archived in another bundle. */
  async #checkArchive(ctx: Context, repoId: Uuid, bundle: Workflow['progress'][number]['details'] | undefined) {
    const { archive } = await this.#bus.dispatch(ctx, GetRepoQuery, { repoId });
    if (archive !== null && archive.path !== bundle?.path) throw new RepoArchivedError(repoId, archive.path);
  }

  async #bundle(ctx: Context, repoId: Uuid, workflow: Workflow): Promise<void> {
    const { workflowId } = workflow;
    await unlessCanceling(this.#bus, ctx, workflow, this.#lookEveryMs, async (ctx) => {
      const { path, bytes, sha256 } = await this.#bus.dispatch(ctx, BundleRepoCommand, { repoId, workflowId });
      await progressWorkflow(this.#bus, ctx, workflow, bundledStep, { path, bytes, sha256 });
    });
  }

  /** Where another bundle was faster, there are two archives of the repository: both are complete. */
  async #mark(ctx: Context, repoId: Uuid, archive: Bundle): Promise<void> {
    try {
      await this.#bus.dispatch(ctx, MarkRepoArchivedCommand, { repoId, archive });
    } catch (error) {
      if (!isError(error, 'repos.archived')) throw error;
    }
  }

  async #discard(ctx: Context, repoId: Uuid, { workflowId }: Workflow): Promise<void> {
    try {
      await this.#bus.dispatch(ctx, DiscardBundleCommand, { repoId, workflowId });
    } catch (error) {
      // Of what is not there, there is no bundle either.
      if (!isError(error, 'repos.notFound')) throw error;
    }
  }
}
