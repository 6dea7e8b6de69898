import {
  type Conn,
  type ConnectOptions,
  defaultMaxCommitBytes,
  InvalidArgumentError,
  type Logger,
  LogNotFoundError,
} from '@samovar/eda';
import { checkConnectOptions, Log, LogConn, loggerOf } from '@samovar/edacore';
import { parseNatsUrl } from '@samovar/nats';
import { NatsBackend } from './backend.ts';
import { NatsLog } from './natslog.ts';

const open = new Map<string, Promise<Log>>();

/**
 * Connects to the event log on NATS JetStream at `nats://host:4222`: several servers of one cluster are `nats://a:4222,b:4222`,
 * credentials `nats://user:password@a` or `nats://token@a`, percent-encoded; `tls://a`, `?tls=true` and `?tls=<file of
 * certificate authorities>` encrypt. The connections of a process to one log share what they have open. What is
 * acknowledged survives a crash of the server's process, and with replicas the loss of a server.
 *
 * Made for server 2.9 and later; logs with replicas for 2.12 and later, and for 2.9.0 to 2.10.13, where publications that
 * expect a head contend for the end of the whole log. 20 writers on as many streams of three servers on one machine, through
 * three connections, published 9,800 a second with server 2.15.1, and 860 beside 26,000 of others; with 2.9.10 it was
 * 4,200, and 8 beside 31,000: so many hold them up for as long as they last.
 *
 * A commit is one message, bounded also by the server's max_payload less 16 KiB.
 *
 * @throws {InvalidArgumentError} if the URL or an option is not as described.
 * @throws {LogNotFoundError} if there is no log of this name, and none is to be made.
 * @throws {NotALogError} if what the server keeps under the cluster's name is something else; it is left as it is.
 * @throws {LogUnavailableError} if the server cannot be reached, has no JetStream, or cannot keep a log with replicas.
 */
export async function connectNats(url: string, options: ConnectOptions = {}): Promise<Conn> {
  const { maxCommitBytes = defaultMaxCommitBytes, cluster = 'samovar', create = true } = options;
  const logger = loggerOf(options);
  const address = parseNatsUrl(url, (why) => new InvalidArgumentError('url', why));
  checkConnectOptions(options);
  checkCluster(cluster);
  const key = JSON.stringify([cluster, address]);
  for (;;) {
    const opening = open.get(key) ?? opened(key, () => NatsLog.open(address, cluster, options));
    const log = await opening.catch((error: unknown) => {
      // Another connection was not to make it.
      if (create && error instanceof LogNotFoundError) return undefined;
      throw error;
    });
    // Whoever let go of it last may have closed it meanwhile.
    if (log === undefined || open.get(key) !== opening) continue;
    warnOfSmaller(log.backend.mostCommitBytes, maxCommitBytes, logger);
    return LogConn.to(log, options);
  }
}

function opened(key: string, openLog: () => Promise<NatsLog>): Promise<Log> {
  const opening = openLog().then((log) => new Log(new NatsBackend(log), () => open.delete(key)));
  open.set(key, opening);
  opening.catch(() => open.delete(key));
  return opening;
}

function warnOfSmaller(serverTakes: number, maxCommitBytes: number, logger: Logger | undefined): void {
  if (serverTakes >= maxCommitBytes) return;
  const mend = 'raise its max_payload to 16 KiB more than that, or lower maxCommitBytes';
  logger?.warn(`the NATS server takes smaller commits than maxCommitBytes: ${mend}`, { maxCommitBytes, serverTakes });
}

function checkCluster(cluster: unknown): void {
  if (typeof cluster === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(cluster)) return;
  throw new InvalidArgumentError('cluster', 'is not 1 to 64 letters, digits, _ and -');
}
