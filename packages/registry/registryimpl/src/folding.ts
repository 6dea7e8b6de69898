import { type Folding, on } from '@samovar/journal';
import {
  EphemeralWorkflowsEnabled,
  type RegisteredRepo,
  RegistryInitialized,
  RepoAdded,
  RepoRemoved,
  type Retention,
} from '@samovar/registry';

/** What a registry's events say. */
export interface RegistryState {
  /** False: there is no such registry. */
  initialized: boolean;
  /** By their ids, in the order in which they were added. */
  readonly repos: Map<string, RegisteredRepo>;
  ephemeralWorkflows: Retention | null;
}

export const registryFolding: Folding<RegistryState> = {
  initial: () => ({ initialized: false, repos: new Map(), ephemeralWorkflows: null }),
  folds: [
    on(RegistryInitialized, (state: RegistryState) => {
      state.initialized = true;
    }),
    on(RepoAdded, ({ repos }: RegistryState, { repoId, name, path }, { time }) => {
      repos.set(repoId, { repoId, name, path, addedAt: time.toISOString() });
    }),
    on(RepoRemoved, ({ repos }: RegistryState, { repoId }) => {
      repos.delete(repoId);
    }),
    on(EphemeralWorkflowsEnabled, (state: RegistryState, { retentionSeconds }) => {
      state.ephemeralWorkflows = { retentionSeconds };
    }),
  ],
};
