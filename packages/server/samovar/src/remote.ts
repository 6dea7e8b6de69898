import { DomainError, type Status } from '@samovar/errors';
import type { CommandType, QueryType } from '@samovar/message';
import { ServerUnreachableError } from './errors.ts';

/** The status that an HTTP code stands for; where it stands for several, the first of them. */
const statuses: Readonly<Record<number, Status>> = {
  400: 'invalid_argument',
  403: 'permission_denied',
  404: 'not_found',
  409: 'aborted',
  429: 'resource_exhausted',
  501: 'unimplemented',
  503: 'unavailable',
  504: 'deadline_exceeded',
};

/** A server that is running elsewhere, as its HTTP API shows it. */
export class RemoteServer {
  readonly #url: string;

  /** `url`: as `samovar serve` has told it. */
  constructor(url: string) {
    this.#url = url.replace(/\/+$/, '');
  }

  /** @throws {ServerUnreachableError} @throws {DomainError} as the server has answered. */
  async call<A, R>(message: CommandType<A, R> | QueryType<A, R>, args: NoInfer<A>): Promise<R> {
    const response = await this.#post(`/v1/${message.name.replace('.', '/')}`, args);
    if (response.status === 204) return undefined as R;
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw errorOf(response.status, answer, this.#url);
    return answer as R;
  }

  async #post(path: string, body: unknown): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    try {
      return await fetch(this.#url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    } catch (cause) {
      throw new ServerUnreachableError(this.#url, { cause });
    }
  }
}

function errorOf(code: number, answer: unknown, url: string): DomainError {
  const { id, detail, details } = (answer ?? {}) as { id?: string; detail?: string; details?: Record<string, unknown> };
  if (id === undefined || detail === undefined) return new ServerUnreachableError(url);
  return new DomainError(statuses[code] ?? 'internal', id, { publicMessage: detail, details: details ?? {} });
}
