import { InvalidArgumentError } from '@samovar/eda';

/** Where and as whom to connect. Never to be logged: it has credentials. */
export interface Address {
  /** `host:port`, at least one. */
  readonly servers: readonly string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** A file of certificate authorities; true: those that Node trusts. Absent: as the server wants it. */
  readonly tls?: string | true;
}

const defaultPort = 4222;
const server = /^(\[[0-9A-Fa-f:.]+\]|[^\s:[\]]+)(?::(\d{1,5}))?$/;

/**
 * What `nats://user:password@a:4222,b:4222?tls=true` says; `token@` instead of a user and password, `tls://` instead of
 * `?tls=true`, and a file instead of `true` are known too.
 *
 * @throws {InvalidArgumentError} that does not repeat credentials.
 */
export function parseUrl(url: string): Address {
  const parts = /^(nats|tls):\/\/([^/?#]*)\/?(?:\?([^#]*))?$/i.exec(url);
  if (parts === null) throw refused('is not of the form nats://host:4222');
  const [, scheme = '', authority = '', query = ''] = parts;
  const servers: string[] = [];
  let login: string | undefined;
  for (const part of authority.split(',')) {
    const at = part.lastIndexOf('@');
    const own = at < 0 ? login : part.slice(0, at);
    if (login !== undefined && own !== login) throw refused('has different credentials for its servers');
    login = own;
    servers.push(serverOf(part.slice(at + 1)));
  }
  const tls = tlsOf(query) ?? (scheme.toLowerCase() === 'tls' ? true : undefined);
  return { servers, ...loginOf(login), ...(tls === undefined ? {} : { tls }) };
}

function serverOf(text: string): string {
  const [, host, port = String(defaultPort)] = server.exec(text) ?? [];
  if (host === undefined || Number(port) === 0 || Number(port) > 65_535) throw refused('names a server wrongly');
  return `${host}:${port}`;
}

function loginOf(login: string | undefined): Pick<Address, 'user' | 'pass' | 'token'> {
  if (login === undefined || login === '') return {};
  const colon = login.indexOf(':');
  if (colon < 0) return { token: decode(login) };
  return { user: decode(login.slice(0, colon)), pass: decode(login.slice(colon + 1)) };
}

function tlsOf(query: string): string | true | undefined {
  let tls: string | true | undefined;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== 'tls' || value === '') throw refused('has a query that is not tls=true or tls=<file>');
    tls = value === 'true' ? true : value;
  }
  return tls;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused('has credentials that are not percent-encoded');
  }
}

function refused(why: string): InvalidArgumentError {
  return new InvalidArgumentError('url', why);
}
