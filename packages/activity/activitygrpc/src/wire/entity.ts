import { create } from '@bufbuild/protobuf';
import { type ActivityKey, type EntityKind, type EntityRef, InvalidActivityError } from '@samovar/activity';
import { EntityRefSchema, EntityKind as WireKind, type EntityRef as WireRef } from '@samovar/api/entities/v1/entity';
import type { Activity } from '@samovar/api/entities/v1/leases';
import { RegistryName, Uuid } from '@samovar/repos';

const toWireKind: Readonly<Record<EntityKind, WireKind>> = {
  registry: WireKind.REGISTRY,
  registryWorkflowIndex: WireKind.REGISTRY_WORKFLOW_INDEX,
  registryWorkflow: WireKind.REGISTRY_WORKFLOW,
  repo: WireKind.REPO,
  repoWorkflow: WireKind.REPO_WORKFLOW,
};
type Names = Pick<WireRef, 'kind' | 'registry' | 'repoId' | 'workflowId'>;

const kinds = new Map(Object.entries(toWireKind).map(([kind, wire]) => [wire, kind as EntityKind]));

export function wireKinds(kinds: readonly EntityKind[]): WireKind[] {
  return kinds.map((kind) => toWireKind[kind]);
}

/** Each once. @throws {InvalidActivityError} if there is one that this server does not know. */
export function kindsOf(wire: readonly number[]): EntityKind[] {
  return [...new Set(wire)].map((number) => {
    const kind = kinds.get(number as WireKind);
    if (kind === undefined) throw new InvalidActivityError('kinds', `has ${number}, which is no kind of entity`);
    return kind;
  });
}

export function wireRef(entity: EntityRef): WireRef {
  const { kind, ...names } = entity;
  return create(EntityRefSchema, { kind: toWireKind[kind], ...names });
}

/** What the wire says, unchecked: as the server has it. undefined: a kind of a newer protocol. */
export function refOf({ kind: number, registry, repoId, workflowId }: Names): EntityRef | undefined {
  const kind = kinds.get(number);
  switch (kind) {
    case 'registry':
    case 'registryWorkflowIndex':
      return { kind, registry };
    case 'registryWorkflow':
      return { kind, registry, workflowId: workflowId as Uuid };
    case 'repo':
      return { kind, repoId: repoId as Uuid };
    case 'repoWorkflow':
      return { kind, repoId: repoId as Uuid, workflowId: workflowId as Uuid };
    case undefined:
      return undefined;
  }
}

/** @throws {InvalidActivityError} naming what is wrong. */
export function checkedRef(wire: Names | undefined): EntityRef {
  const entity = wire && refOf(wire);
  if (entity === undefined) throw new InvalidActivityError('entity', 'has no kind of entity that is known here');
  if ('registry' in entity && !RegistryName.safeParse(entity.registry).success) {
    throw new InvalidActivityError('registry', 'is no name of a registry');
  }
  for (const field of ['repoId', 'workflowId'] as const) {
    const id = (entity as Partial<Record<typeof field, string>>)[field];
    if (id !== undefined && !isUuid(id)) throw new InvalidActivityError(field, 'is no UUID in lower case');
  }
  return entity;
}

/** @throws {InvalidActivityError} naming what is wrong. */
export function checkedKey(activity: Activity | undefined): ActivityKey {
  const { entity, name = '' } = activity ?? {};
  if (!/^[\w.-]{1,100}$/.test(name)) throw new InvalidActivityError('name', 'is no name of an activity');
  return { entity: checkedRef(entity), name };
}

function isUuid(text: string): boolean {
  const parsed = Uuid.safeParse(text);
  return parsed.success && parsed.data === text;
}
