import { isIPv4 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { CrossSiteError, HostNotAllowedError } from './errors.ts';

/**
 * Refuses what a web page of another origin makes a browser send, directly or after pointing its own name at this
 * machine (DNS rebinding).
 *
 * @throws {HostNotAllowedError} @throws {CrossSiteError}
 */
export function guard({ headers }: FastifyRequest, allowedHosts: ReadonlySet<string>): void {
  const name = hostName(headers.host);
  if (name === undefined || !(isLoopback(name) || allowedHosts.has(name))) throw new HostNotAllowedError(headers.host);
  const { origin } = headers;
  if (origin !== undefined && hostOf(origin) !== headers.host?.toLowerCase()) throw new CrossSiteError(origin);
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new CrossSiteError(String(site));
}

/** The canonical name in a Host header, without its port; undefined if the header is none. */
export function hostName(host: string | undefined): string | undefined {
  if (host === undefined || !/^[\w.:[\]-]+$/.test(host)) return undefined;
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined;
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1];
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'));
}
