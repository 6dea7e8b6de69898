/**
 * What the backends of the event log share. It is for those who write a backend; everybody else calls `connect` of
 * `@samovar/edaimpl`. Nothing here is promised to stay as it is.
 */
export * from './backend.ts';
export { LogConn } from './conn.ts';
export { changedOptions, checkTerms } from './delivery/options.ts';
export { asLast, type Row, StoredEvent } from './event.ts';
export { encodeId, maxCommit, type Seq } from './ids.ts';
export { Log, OpenLogs } from './log.ts';
export { parseSelector, type Selector } from './selector.ts';
export { Wakes } from './wakes.ts';
