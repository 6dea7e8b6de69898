export { backoff } from './backoff.ts';
export { type Clock, systemClock } from './clock.ts';
export { Engine, type EngineOptions, type PolicyHost } from './engine.ts';
export type { Policy } from './host.ts';
export { type LeaseTable, MemoryLeases } from './memoryleases.ts';
export type { Task } from './task.ts';
