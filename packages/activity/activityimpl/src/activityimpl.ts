export { ProcessEngines } from './engines.ts';
export { connEntityEvents } from './events.ts';
export { SqlLeases, type SqlLeasesOptions } from './leases.ts';
export { activityMigrations } from './migrations.ts';
