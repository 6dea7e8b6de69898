import type { Conn, ConnectOptions } from '@samovar/eda';
import { Log, LogConn, OpenLogs } from '@samovar/edacore';
import { MemoryLog } from './memorylog.ts';

const named = new OpenLogs<string>();

/**
 * Connects to an event log in this process's memory. Without a name, or with the empty one, it is a log of its own;
 * connections with one name share a log, which is gone when the last of them is closed.
 *
 * @throws {InvalidArgumentError} if an option is not as `ConnectOptions` says.
 */
export function connectMemory(name: string, options?: ConnectOptions): Conn {
  const open = () => (name === '' ? new Log(new MemoryLog()) : named.get(name, () => new MemoryLog()));
  return LogConn.to(open, options);
}
