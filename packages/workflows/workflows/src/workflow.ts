import { RegistryName, Uuid } from '@samovar/repos';
import { z } from 'zod';

/** Asks every repository of the registry for a sign of life, and gathers the answers. */
const PingRegistry = z.object({
  type: z.literal('PingRegistry'),
  /** Milliseconds from the beginning until those that have not answered are missing. */
  timeoutMs: z.int().min(1).max(86_400_000).default(10_000),
});

/** Packs a repository into a bundle in the archive folder, then marks it as archived. */
const ArchiveRepo = z.object({ type: z.literal('ArchiveRepo'), repoId: Uuid });

/** What a workflow is to do. */
export const Work = z.discriminatedUnion('type', [PingRegistry, ArchiveRepo]);
export type Work = z.infer<typeof Work>;

const Key = z.string().min(1).max(100);
const mostBytes = 524_288;
const mostLevels = 32;

/** JSON, at most 32 levels deep: checked before anything goes through it level by level. */
const Details = z
  .record(Key, z.unknown())
  .refine((details) => isShallow(details, mostLevels), `is nested deeper than ${mostLevels} levels`)
  .pipe(z.record(Key, z.json()))
  .refine(
    (details) => Buffer.byteLength(JSON.stringify(details)) <= mostBytes,
    `has more than ${mostBytes} bytes as JSON`,
  );

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}

/** One step of the work that is done. */
export const Progress = z.object({
  /** Which one: each is done once. Of PingRegistry, the id of a repository that has answered. */
  step: z.string().min(1).max(100),
  /** At most 524,288 bytes as JSON, 32 levels deep. */
  details: Details,
  at: z.iso.datetime(),
});
export type Progress = z.infer<typeof Progress>;

/** How the work has ended. */
export const WorkOutcome = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('succeeded'),
    /** As {@link Progress} has them. */
    details: Details,
  }),
  z.object({
    kind: z.literal('failed'),
    /** For people. */
    error: z.string().max(4096),
  }),
  z.object({ kind: z.literal('canceled') }),
]);
export type WorkOutcome = z.infer<typeof WorkOutcome>;

/** A workflow as its events tell it. */
export const Workflow = z.object({
  workflowId: Uuid,
  registry: RegistryName,
  work: Work,
  /**
   * - running: the work is being done, or waits for whoever does it.
   * - completed: its outcome is certain, and what follows from that is being done.
   * - finished: nothing is left to be done.
   */
  state: z.enum(['running', 'completed', 'finished']),
  /** Whether somebody has asked for its end; it runs on until that is seen. */
  isCanceling: z.boolean(),
  /** In the order in which the steps were done. */
  progress: z.array(Progress),
  /** null while it is running. */
  outcome: WorkOutcome.nullable(),
  begunAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
});
export type Workflow = z.infer<typeof Workflow>;
