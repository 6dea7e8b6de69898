import { lookup } from 'node:dns/promises';
import { type AddressInfo, BlockList } from 'node:net';
import { CannotListenError, type GrpcOptions, InsecureListenError } from '@samovar/api';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * The one address to listen on: a name with several would be served at the first one only, or twice.
 *
 * @throws {InsecureListenError} if others reach it, and could read calls or make some. @throws {Error} if there is none.
 */
export async function addressOf({ host, tls, token = '' }: GrpcOptions): Promise<string> {
  const { address, family } = await lookup(host);
  if (!loopback.check(address, family === 6 ? 'ipv6' : 'ipv4')) {
    if (tls === undefined) throw new InsecureListenError(host, 'tls');
    if (token === '') throw new InsecureListenError(host, 'token');
  }
  return address;
}

/** Where a program on this machine finds the server. */
export function urlOf({ address, family, port }: AddressInfo, isEncrypted: boolean): string {
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `${isEncrypted ? 'grpcs' : 'grpc'}://${host}:${port}`;
}

export function cannotListen({ host, port }: GrpcOptions, cause: unknown): CannotListenError {
  return new CannotListenError(host, port, whyNot(cause), { cause });
}

function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return 'it is in use; stop what listens there, or choose another with --grpc-port (0: any free one)';
    case 'EACCES':
      return 'the system does not allow it; choose one from 1024 up with --grpc-port';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'that is no address of this machine; choose another with --grpc-host';
    default:
      return message;
  }
}
