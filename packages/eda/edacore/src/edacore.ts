/**
 * What the backends of the event log share. It is for those who write a backend; everybody else calls `connect` of
 * `@samovar/edaimpl`. Nothing here is promised to stay as it is.
 */
export * from './append.ts';
export * from './backend.ts';
export { checkFlag, checkText, checkWhole, idOf } from './checks.ts';
export { checkConnectOptions, checkLocalOptions, LogConn, loggerOf } from './conn.ts';
export { MemoryParked } from './delivery/memoryparked.ts';
export {
  changedOptions,
  checkSameTerms,
  checkTerms,
  defaultOptions,
  type OptionChange,
  optionsOf,
  type Terms,
} from './delivery/options.ts';
export { asLast, type Row, StoredEvent } from './event.ts';
export { decodeId, encodeId, maxCommit, type Seq } from './ids.ts';
export { LocalBackend } from './local/localbackend.ts';
export * from './local/locallog.ts';
export { Wakes } from './local/wakes.ts';
export { Log, OpenLogs } from './log.ts';
export { newAppend } from './publishing.ts';
export * from './reader.ts';
export type { Reading } from './reading.ts';
export { parseSelector, type Selector } from './selector.ts';
export * from './stored.ts';
export { decodeCommit, encodeCommit, type WireCommit, type WireEvent } from './wire/commit.ts';
