import type { Context } from '@samovar/context';
import { persist } from './persist.ts';
import { RepoStarts } from './repostarts.ts';
import { Scans } from './scans.ts';
import { isWanted, type Tools } from './tools.ts';
import { WorkflowStarts } from './workflowstarts.ts';

/**
 * Starts the activities of every registry that there is or comes into being, of its repositories and its workflows, until
 * `ctx` is done; then it stops them. Any number of processes may do so: the leases decide who runs what.
 *
 * @throws {CanceledError} @throws {DeadlineExceededError} when `ctx` is done, and all has stopped.
 */
export async function observeRegistries(
  ctx: Context,
  tools: Tools,
  scans = new Scans(tools.bus, tools.logger),
): Promise<never> {
  const registries = new Registries(tools, scans);
  try {
    return await persist(ctx, tools.logger, 'the signals of registries are lost: connecting again', (works) =>
      registries.follow(ctx, works),
    );
  } finally {
    await registries.stopped();
  }
}

class Registries {
  readonly #tools: Tools;
  readonly #scans: Scans;
  readonly #followed = new Map<string, Promise<unknown>>();

  constructor(tools: Tools, scans: Scans) {
    this.#tools = tools;
    this.#scans = scans;
  }

  /** Starts what there is as soon as no news is missed any more, and what comes. */
  async follow(ctx: Context, connected: () => void): Promise<void> {
    const { events } = this.#tools;
    let isConnected = false;
    for await (const entities of events.signals(ctx, ['registry'])) {
      if (!isConnected) {
        isConnected = true;
        connected();
        for await (const { entity } of events.heads(ctx, ['registry'])) {
          if (entity.kind === 'registry') this.#start(ctx, entity.registry);
        }
      }
      for (const entity of entities) if (entity.kind === 'registry') this.#start(ctx, entity.registry);
    }
  }

  /** Resolves when all that was started has stopped, after the end of its context. */
  async stopped(): Promise<void> {
    await Promise.all(this.#followed.values());
  }

  #start(ctx: Context, registry: string): void {
    if (this.#followed.has(registry)) return;
    const tools = this.#tools;
    const following = [new WorkflowStarts(tools, registry).follow(ctx)];
    if (isWanted(tools, 'repo')) following.push(new RepoStarts(tools, registry, this.#scans).follow(ctx));
    this.#followed.set(registry, Promise.allSettled(following));
  }
}
