import { hash as digest } from 'node:crypto';

/** Messages of a JetStream stream. */
export interface Source {
  readonly stream: string;
  /** Of the messages; may have wildcards. */
  readonly subject: string;
}

/** The names that one event log has on its server. */
export class Names {
  /** Of the JetStream stream that holds the events. */
  readonly stream: string;
  /** Of the bucket that holds what is known of durable subscriptions. */
  readonly bucket: string;
  readonly #prefix: string;

  constructor(cluster: string) {
    this.stream = cluster;
    this.bucket = `${cluster}-subscriptions`;
    this.#prefix = `${cluster}.events.`;
  }

  /** Of a stream's events, or, as both know the same wildcards, of a selector's. */
  subject(streamOrSelector: string): string {
    return this.#prefix + streamOrSelector;
  }

  /** The messages of the event streams that a selector matches. */
  events(selector: string): Source {
    return { stream: this.stream, subject: this.subject(selector) };
  }

  /** What is stored in the bucket under these keys, which may have wildcards. */
  kept(keys: string): Source {
    return { stream: `KV_${this.bucket}`, subject: `$KV.${this.bucket}.${keys}` };
  }

  /** The key in the bucket that has this subject. */
  keyOf(subject: string): string {
    return subject.slice(`$KV.${this.bucket}.`.length);
  }

  /** The event stream whose events have this subject. */
  streamOf(subject: string): string {
    return subject.slice(this.#prefix.length);
  }
}

/** A subscription's name as the server takes it: what can be read of it, and what tells it from all others. */
export function encodeName(name: string): string {
  const readable = name.replace(/[^A-Za-z0-9_]+/g, '-').slice(0, 40);
  return `${readable}-${hash(name)}`;
}

/** What tells a publication from all others. A key is of its stream: the server's memory of ids is of all of them. */
export function messageId(stream: string, key: string): string {
  return hash(`${stream} ${key}`);
}

/** A stream's name where only a short one fits. */
export function streamHash(stream: string): string {
  return hash(stream);
}

function hash(text: string): string {
  return digest('sha256', text, 'base64url').slice(0, 27);
}
