import { type Conn, type ConnectOptions, defaultMaxCommitBytes, InvalidArgumentError, type Logger } from '@samovar/eda';
import { checkText, checkWhole } from '@samovar/edacore';
import { NatsConn } from './conn.ts';
import { SharedLog } from './delivery/sharedlog.ts';
import { NatsLog } from './natslog.ts';
import { type Address, parseUrl } from './url.ts';

const console_: Logger = {
  debug: () => {},
  info: () => {},
  warn: (message, fields) => console.error(message, fields),
  error: (message, fields) => console.error(message, fields),
};

const open = new Map<string, Promise<SharedLog>>();

/**
 * Connects to the event log on NATS JetStream at `nats://host:4222`: several servers of one cluster are `nats://a:4222,b:4222`,
 * credentials `nats://user:password@a` or `nats://token@a`, percent-encoded; `tls://a`, `?tls=true` and `?tls=<file of
 * certificate authorities>` encrypt. The connections of a process to one log share what they have open. What is
 * acknowledged survives a crash of the server's process, and with replicas the loss of a server.
 *
 * Made for server 2.9 and later. A commit is one message, bounded also by the server's max_payload less 16 KiB.
 *
 * @throws {InvalidArgumentError} if the URL or an option is not as described.
 * @throws {NotALogError} if what the server keeps under the cluster's name is something else; it is left as it is.
 * @throws {LogUnavailableError} if the server cannot be reached, or has no JetStream.
 */
export async function connectNats(url: string, options: ConnectOptions = {}): Promise<Conn> {
  const { client = '', maxCommitBytes = defaultMaxCommitBytes, cluster = 'samovar', replicas } = options;
  const logger = options.logger === undefined ? console_ : (options.logger ?? undefined);
  const address = parseUrl(url);
  checkText('client', client, 0);
  checkCluster(cluster);
  if (replicas !== undefined) checkWhole('replicas', replicas, 1);
  checkWhole('maxCommitBytes', maxCommitBytes, 1024);
  const shared = await share(address, cluster, () => NatsLog.open(address, cluster, replicas, logger));
  const { maxBytes, maxPayload } = shared.log;
  if (maxPayload < maxCommitBytes) {
    logger?.warn('the NATS server takes smaller commits than asked for: raise its max_payload', { maxBytes });
  }
  return new NatsConn(shared, { client, logger, maxCommitBytes });
}

async function share(address: Address, cluster: string, make: () => Promise<NatsLog>): Promise<SharedLog> {
  const key = JSON.stringify([cluster, address]);
  for (;;) {
    let opening = open.get(key);
    if (opening === undefined) {
      opening = make().then((log) => new SharedLog(log, () => open.delete(key)));
      open.set(key, opening);
      opening.catch(() => open.delete(key));
    }
    const shared = await opening;
    if (shared.connected()) return shared;
  }
}

function checkCluster(cluster: unknown): void {
  if (typeof cluster === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(cluster)) return;
  throw new InvalidArgumentError('cluster', 'is not 1 to 64 letters, digits, _ and -');
}
