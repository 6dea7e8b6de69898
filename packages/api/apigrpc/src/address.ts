import { lookup } from 'node:dns/promises';
import { BlockList } from 'node:net';
import { type GrpcOptions, InsecureListenError } from '@samovar/api';

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
