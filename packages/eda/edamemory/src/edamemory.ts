import { type Conn, type ConnectOptions, LogNotFoundError } from '@samovar/eda';
import { checkLocalOptions, LocalBackend, Log, LogConn, OpenLogs } from '@samovar/edacore';
import { type MemoryClock, systemClock } from './clock.ts';
import { MemoryLog } from './memorylog.ts';

export type { MemoryClock } from './clock.ts';

const named = new OpenLogs<string>();

/**
 * Connects to an event log in this process's memory. Without a name, or with the empty one, it is a log of its own;
 * connections with one name share a log, which is gone when the last of them is closed.
 *
 * Whoever opens a log says by which clock it tells `ackTime`, and `time` where none is set, and forgets idempotency keys
 * after two minutes. Pauses and limits of handlers are by the system's clock. Default: the system's.
 *
 * @throws {InvalidArgumentError} if an option is not as `ConnectOptions` says.
 * @throws {LogNotFoundError} if none is to be made, and no log of this name is open.
 */
export function connectMemory(name: string, options?: ConnectOptions, clock: MemoryClock = systemClock): Conn {
  checkLocalOptions(options);
  const make = () => {
    if (options?.create === false) throw new LogNotFoundError(`memory:${name}`);
    return new MemoryLog(clock);
  };
  return LogConn.to(name === '' ? new Log(new LocalBackend(make())) : named.get(name, make), options);
}
