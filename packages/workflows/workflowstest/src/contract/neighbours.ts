import type { Bus } from '@samovar/bus';
import { background } from '@samovar/context';
import { GetRegistryQuery, RegistryNotFoundError } from '@samovar/registry';
import { GetRepoQuery, type Repo, RepoNotFoundError, Uuid } from '@samovar/repos';
import type { Work, Workflow, Workflows, WorkOutcome } from '@samovar/workflows';

/** A Workflows that has none yet, and the bus on which it asks for registries and repositories: both are for the suite to add. */
export interface WorkflowsUnderTest extends AsyncDisposable {
  readonly workflows: Workflows;
  readonly bus: Bus;
}

export type UnderTest = () => WorkflowsUnderTest;

/** Of the registry `main`. */
export const tea: Uuid = Uuid.parse('00000000-0000-4000-8000-00000000000a');
/** Of the registry `main`, archived. */
export const cocoa: Uuid = Uuid.parse('00000000-0000-4000-8000-00000000000b');
/** Of the registry `other`. */
export const coffee: Uuid = Uuid.parse('00000000-0000-4000-8000-00000000000c');

export const one: Uuid = Uuid.parse('00000000-0000-4000-8000-000000000001');
export const two: Uuid = Uuid.parse('00000000-0000-4000-8000-000000000002');

export const ping: Work = { type: 'PingRegistry', timeoutMs: 10_000 };
export const archiveTea: Work = { type: 'ArchiveRepo', repoId: tea };
export const succeeded: WorkOutcome = { kind: 'succeeded', details: { answers: [] } };

const archive = { path: '/archive/cocoa.bundle', bytes: 1, sha256: 'c'.repeat(64) };

/** Answers for the registries `main` and `other`, and for their repositories. Gives what archives one of those. */
export function answerForNeighbours(bus: Bus): (repoId: Uuid) => void {
  const archived = new Set([cocoa]);
  const registries = new Map([
    [tea, 'main'],
    [cocoa, 'main'],
    [coffee, 'other'],
  ]);
  bus.addHandler(GetRegistryQuery, (_, { registry = 'main' }) => {
    if (registry !== 'main' && registry !== 'other') throw new RegistryNotFoundError(registry);
    return { registry, repos: 2, ephemeralWorkflows: null };
  });
  bus.addHandler(GetRepoQuery, (_, { repoId }): Repo => {
    const registry = registries.get(repoId);
    if (registry === undefined) throw new RepoNotFoundError(repoId);
    const of = { repoId, registry, name: 'a repository', path: '/a/repository' };
    return { ...of, head: null, commits: 0, archive: archived.has(repoId) ? archive : null };
  });
  return (repoId) => void archived.add(repoId);
}

export function beginOne({ workflows }: WorkflowsUnderTest, work: Work = ping): Promise<Workflow> {
  return workflows.beginWorkflow(background, { workflowId: one, work });
}

export function getOne({ workflows }: WorkflowsUnderTest): Promise<Workflow> {
  return workflows.getWorkflow(background, { workflowId: one });
}

export async function finishOne({ workflows }: WorkflowsUnderTest): Promise<void> {
  await workflows.completeWorkflow(background, { workflowId: one, outcome: succeeded });
  await workflows.commitWorkflow(background, { workflowId: one });
}
