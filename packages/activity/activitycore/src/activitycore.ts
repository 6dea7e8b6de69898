export { backoff } from './backoff.ts';
export { type Clock, systemClock } from './clock.ts';
export { Engine, type EngineOptions, type PolicyHost } from './engine.ts';
export type { Policy } from './host.ts';
export { LeaseTable, MemoryLeases } from './memoryleases.ts';
export { PeersNews, runOf, withRun } from './peersnews.ts';
export type { Task } from './task.ts';
