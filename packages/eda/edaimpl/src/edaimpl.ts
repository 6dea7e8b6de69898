import { type Conn, type ConnectOptions, InvalidArgumentError } from '@samovar/eda';

/**
 * Opens the event log at `url`:
 * - `sqlite:<path>`: one file, absolute or relative to the working directory; made if it does not exist, its folder is not.
 *   Several processes may have it open.
 * - `memory:`: a log of its own in this process's memory; `memory:<name>`: one that all connections with the name
 *   share. It is gone when the last of them is closed.
 * - `nats://<host>:4222`: the log that the server's JetStream keeps under `ConnectOptions.cluster`. Several servers are
 *   `nats://<a>:4222,<b>:4222`, credentials `nats://<user>:<password>@<a>` or `nats://<token>@<a>`; `tls://<host>` and
 *   `?tls=true` or `?tls=<file of certificate authorities>` encrypt.
 *
 * @throws {InvalidArgumentError} if the URL is none of these, or an option is not as `ConnectOptions` says.
 * @throws {LogNotFoundError} if there is no log, and `ConnectOptions.create` is false; nothing is made.
 * @throws {NotALogError} if the file, or what the server keeps, is something else, newer or damaged; it is left as it is.
 * @throws {LogUnavailableError} if the file cannot be opened, or the server not be reached.
 */
export async function connect(url: string, options?: ConnectOptions): Promise<Conn> {
  if (typeof url !== 'string') throw new InvalidArgumentError('url', `is ${typeof url}, not a text`);
  const colon = url.indexOf(':');
  const [scheme, rest] = [url.slice(0, Math.max(0, colon)).toLowerCase(), url.slice(colon + 1)];
  switch (scheme) {
    case 'memory':
      return (await import('@samovar/edamemory')).connectMemory(rest, options);
    case 'sqlite':
      return (await import('@samovar/edasqlite')).connectSqlite(pathOf(rest), options);
    case 'nats':
    case 'tls':
      return (await import('@samovar/edanats')).connectNats(url, options);
    default:
      // Not the URL itself: it may hold a password.
      throw new InvalidArgumentError(
        'url',
        `${schemeOf(scheme)}; supported are sqlite:<path>, nats://<host> and memory:`,
      );
  }
}

/** Of what follows `sqlite:`. Two slashes would begin a host, and a file has none. */
function pathOf(rest: string): string {
  const path = rest.startsWith('///') ? rest.slice(2) : rest;
  if (path === '' || path.startsWith('//')) throw new InvalidArgumentError('url', 'names no file: write sqlite:<path>');
  return path;
}

function schemeOf(scheme: string): string {
  return /^[a-z][a-z0-9+.-]{0,19}$/.test(scheme) ? `begins with ${scheme}:` : 'does not say which kind of log it is';
}
