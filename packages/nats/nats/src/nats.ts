import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** Where and as whom to connect. Never to be logged: it has credentials. */
export interface NatsAddress {
  /** `host:port`, at least one. */
  readonly servers: readonly string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** A file of certificate authorities; true: those that Node trusts. Absent: as the server wants it. */
  readonly tls?: string | true;
}

/** What `connect` of NATS's client for Node takes. Never to be logged: it has credentials. */
export interface NatsOptions {
  readonly servers: string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  readonly tls?: {
    readonly caFile?: string;
    readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined;
  };
  readonly name: string;
  readonly timeout: number;
  readonly maxReconnectAttempts: number;
  readonly reconnectTimeWait: number;
  readonly noAsyncTraces: boolean;
}

const defaultPort = 4222;
const server = /^(\[[0-9A-Fa-f:.]+\]|[^\s:[\]]+)(?::(\d{1,5}))?$/;

/** Makes the error to throw for a URL. `why` goes on after `url` and does not repeat credentials. */
type Refused = (why: string) => Error;

/**
 * What `nats://user:password@a:4222,b:4222?tls=true` says; `token@` instead of a user and password, `tls://` instead of
 * `?tls=true`, and a file instead of `true` are known too.
 *
 * @throws what `refused` makes, if the URL is not as described.
 */
export function parseNatsUrl(url: string, refused: Refused): NatsAddress {
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
    servers.push(serverOf(part.slice(at + 1), refused));
  }
  const tls = tlsOf(query, refused) ?? (scheme.toLowerCase() === 'tls' ? true : undefined);
  return { servers, ...loginOf(login, refused), ...(tls === undefined ? {} : { tls }) };
}

/** For a connection that is given up after `timeout` milliseconds at first, and later comes back whenever it is lost. */
export function natsOptions({ servers, user, pass, token, tls }: NatsAddress, timeout: number): NatsOptions {
  return {
    servers: [...servers],
    name: 'samovar',
    timeout,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    // A stack for each question costs more than the question.
    noAsyncTraces: true,
    ...(user === undefined ? {} : { user, pass: pass ?? '' }),
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined ? {} : { tls: { ...(tls === true ? {} : { caFile: tls }), ...identityOf(servers) } }),
  };
}

function serverOf(text: string, refused: Refused): string {
  const [, host, port = String(defaultPort)] = server.exec(text) ?? [];
  if (host === undefined || Number(port) === 0 || Number(port) > 65_535) throw refused('names a server wrongly');
  return `${host}:${port}`;
}

function loginOf(login: string | undefined, refused: Refused): Pick<NatsAddress, 'user' | 'pass' | 'token'> {
  if (login === undefined || login === '') return {};
  const colon = login.indexOf(':');
  if (colon < 0) return { token: decode(login, refused) };
  return { user: decode(login.slice(0, colon), refused), pass: decode(login.slice(colon + 1), refused) };
}

function tlsOf(query: string, refused: Refused): string | true | undefined {
  let tls: string | true | undefined;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== 'tls' || value === '') throw refused('has a query that is not tls=true or tls=<file>');
    tls = value === 'true' ? true : value;
  }
  return tls;
}

function decode(text: string, refused: Refused): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused('has credentials that are not percent-encoded');
  }
}

/** The check of a certificate: by itself the client takes one for localhost where a server is named by its address. */
function identityOf(servers: readonly string[]): Pick<Required<NatsOptions>['tls'], 'checkServerIdentity'> {
  const hosts = servers.map((server) => server.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''));
  return {
    checkServerIdentity: (_, certificate) => {
      const problems = hosts.map((host) => checkServerIdentity(host, certificate));
      return problems.includes(undefined) ? undefined : problems[0];
    },
  };
}
