import { stream } from '@samovar/eda';
import type { Uuid } from '@samovar/repos';

/** What has a stream of events of its own that activities follow. */
export type EntityRef =
  | { readonly kind: 'registry'; readonly registry: string }
  | { readonly kind: 'registryWorkflowIndex'; readonly registry: string }
  | { readonly kind: 'registryWorkflow'; readonly registry: string; readonly workflowId: Uuid }
  | { readonly kind: 'repo'; readonly repoId: Uuid }
  | { readonly kind: 'repoWorkflow'; readonly repoId: Uuid; readonly workflowId: Uuid };

export type EntityKind = EntityRef['kind'];

const selectors: Readonly<Record<EntityKind, string>> = {
  registry: 'registry.*',
  registryWorkflowIndex: 'workflowindex.*',
  registryWorkflow: 'registryworkflows.*.*',
  repo: 'repos.*',
  repoWorkflow: 'repoworkflows.*.*',
};

/** All kinds of entities. */
export const entityKinds = [
  'registry',
  'registryWorkflowIndex',
  'registryWorkflow',
  'repo',
  'repoWorkflow',
] as const satisfies readonly EntityKind[];

/** Matches the streams of all entities of a kind. */
export function entitySelector(kind: EntityKind): string {
  return selectors[kind];
}

/** The stream of an entity. */
export function entityStream(entity: EntityRef): string {
  switch (entity.kind) {
    case 'registry':
      return stream`registry.${entity.registry}`;
    case 'registryWorkflowIndex':
      return stream`workflowindex.${entity.registry}`;
    case 'registryWorkflow':
      return stream`registryworkflows.${entity.registry}.${entity.workflowId}`;
    case 'repo':
      return stream`repos.${entity.repoId}`;
    case 'repoWorkflow':
      return stream`repoworkflows.${entity.repoId}.${entity.workflowId}`;
  }
}

/** The entity whose stream this is; undefined for any other stream. */
export function entityOf(name: string): EntityRef | undefined {
  const [kind, first = '', second = '', ...more] = name.split('.');
  if (first === '' || more.length > 0) return undefined;
  const isPair = second !== '';
  switch (kind) {
    case 'registry':
      return isPair ? undefined : { kind, registry: first };
    case 'workflowindex':
      return isPair ? undefined : { kind: 'registryWorkflowIndex', registry: first };
    case 'registryworkflows':
      return isPair ? { kind: 'registryWorkflow', registry: first, workflowId: second as Uuid } : undefined;
    case 'repos':
      return isPair ? undefined : { kind: 'repo', repoId: first as Uuid };
    case 'repoworkflows':
      return isPair ? { kind: 'repoWorkflow', repoId: first as Uuid, workflowId: second as Uuid } : undefined;
    default:
      return undefined;
  }
}
