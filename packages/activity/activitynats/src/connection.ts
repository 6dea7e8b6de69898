import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { InvalidActivityError } from '@samovar/activity';

/** What a URL says of where and as whom to connect. Never to be logged: it has credentials. */
export interface Address {
  readonly servers: string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  readonly tls?: { readonly caFile?: string } & Pick<ConnectionOptions, 'checkServerIdentity'>;
}

/** @throws {InvalidActivityError} that does not repeat credentials. */
export function addressOf(url: string): Address {
  const [, scheme = '', authority = '', tls = scheme.toLowerCase() === 'tls' ? 'true' : ''] =
    /^(nats|tls):\/\/([^\s/?#]+)\/?(?:\?tls=([^&#]+))?$/i.exec(url) ?? [];
  const parts = authority.split(',').map((part) => /^(?:(.*)@)?([^@]+)$/.exec(part) ?? []);
  const servers = parts.flatMap(([, , server]) => server ?? []);
  if (servers.length < parts.length) throw new InvalidActivityError('url', 'is not of the form nats://host:4222');
  const [login = '', ...others] = new Set(parts.flatMap(([, login]) => login ?? []));
  if (others.length > 0) throw new InvalidActivityError('url', 'has different credentials for its servers');
  return { servers, ...loginOf(login), ...(tls === '' ? {} : { tls: { ...caOf(tls), ...identityOf(servers) } }) };
}

/** A connection that comes back by itself whenever it is lost. */
export function dial(address: Address, timeout: number): Promise<NatsConnection> {
  const forever = { maxReconnectAttempts: -1, reconnectTimeWait: 100 };
  // A stack for each question costs more than the question.
  return connect({ ...address, ...forever, name: 'samovar', timeout, noAsyncTraces: true });
}

function loginOf(login: string): Pick<Address, 'user' | 'pass' | 'token'> {
  const [user = '', ...pass] = login.split(':').map(decode);
  if (login === '') return {};
  return pass.length === 0 ? { token: user } : { user, pass: pass.join(':') };
}

function caOf(tls: string): { readonly caFile?: string } {
  return tls === 'true' ? {} : { caFile: decode(tls.replaceAll('+', ' ')) };
}

/** The check of a certificate: by itself the client takes one for localhost where a server is named by its address. */
function identityOf(servers: readonly string[]): Pick<ConnectionOptions, 'checkServerIdentity'> {
  const hosts = servers.map((server) => server.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''));
  return {
    checkServerIdentity: (_, certificate) => {
      const problems = hosts.map((host) => checkServerIdentity(host, certificate));
      return problems.includes(undefined) ? undefined : problems[0];
    },
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InvalidActivityError('url', 'is not percent-encoded');
  }
}
