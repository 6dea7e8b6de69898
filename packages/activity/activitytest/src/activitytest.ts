export { TestClock } from './clock.ts';
export { FakeEntityEvents } from './events.ts';
export { FakeLeases } from './leases.ts';
export { type LogLine, RecordingLogger } from './logger.ts';
export { StepEngine } from './stepengine.ts';
