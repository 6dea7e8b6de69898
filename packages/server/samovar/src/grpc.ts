import { readFileSync } from 'node:fs';
import type { GrpcOptions } from '@samovar/api';
import type { Config } from './config.ts';
import { InvalidConfigError } from './errors.ts';

/** Where gRPC is spoken; undefined: nowhere. @throws {InvalidConfigError} if a certificate or key cannot be read. */
export function grpcOptions({
  grpcHost: host,
  grpcPort: port,
  grpcToken: token,
  grpcCert,
  grpcKey,
  maxBodyBytes: maxMessageBytes,
}: Config): GrpcOptions | undefined {
  if (port === undefined) return undefined;
  if ((grpcCert === undefined) !== (grpcKey === undefined)) {
    throw new InvalidConfigError(['grpcCert and grpcKey belong together: give both, or neither']);
  }
  const tls =
    grpcCert === undefined || grpcKey === undefined
      ? {}
      : { tls: { cert: pem('grpcCert', grpcCert), key: pem('grpcKey', grpcKey) } };
  return { host, port, maxMessageBytes, ...(token === undefined ? {} : { token }), ...tls };
}

function pem(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new InvalidConfigError([`${setting} cannot be read: ${(cause as Error).message}`], { cause });
  }
}
