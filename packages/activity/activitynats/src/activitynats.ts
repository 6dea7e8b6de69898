export { NatsWorkers, type NatsWorkersOptions } from './workers.ts';
