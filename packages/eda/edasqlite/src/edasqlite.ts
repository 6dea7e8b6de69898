import { resolve } from 'node:path';
import { type Conn, type ConnectOptions, LogNotFoundError } from '@samovar/eda';
import { checkLocalOptions, type Log, LogConn, OpenLogs } from '@samovar/edacore';
import { identityOf } from './file.ts';
import { SqliteLog } from './sqlitelog.ts';

const open = new OpenLogs<string>();

/**
 * Connects to the event log in the SQLite file at `path`, made if there is none; its folder is not. The connections of a
 * process to one file share what they have open, and several processes may use it at once. What is acknowledged
 * survives the loss of power.
 *
 * @throws {InvalidArgumentError} if an option is not as `ConnectOptions` says.
 * @throws {LogNotFoundError} if there is no file, and none is to be made.
 * @throws {NotALogError} if the file is something else, of a newer version, or damaged; it is left as it is. Files of
 * more than 128 MiB are not looked through for damage.
 * @throws {LogUnavailableError} if it cannot be opened.
 */
export function connectSqlite(path: string, options?: ConnectOptions): Conn {
  checkLocalOptions(options);
  return LogConn.to(openLog(resolve(path), options?.create ?? true), options);
}

function openLog(path: string, create: boolean): Log {
  const identity = identityOf(path);
  if (identity !== undefined) return open.get(identity, () => new SqliteLog(path));
  if (!create) throw new LogNotFoundError(path);
  const created = new SqliteLog(path);
  return open.get(identityOf(path) ?? path, () => created);
}
