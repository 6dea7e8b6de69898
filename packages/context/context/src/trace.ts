import { type Context, type ContextKey, ValueNode } from './node.ts';

/**
 * Which trace a call belongs to, as the header `traceparent` of W3C's Trace Context says it
 * (https://www.w3.org/TR/trace-context/); undefined: nobody traces it.
 */
export const traceParent: ContextKey<string | undefined> = { name: 'traceparent', defaultValue: undefined };

const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?=-|$)/;

/** A child that belongs to the trace that a caller's `traceparent` names; `parent` itself where that names none. */
export function withTraceParent(parent: Context, header: unknown): Context {
  const [value] = typeof header === 'string' ? (pattern.exec(header) ?? []) : [];
  // Of later versions, this much is known.
  return value === undefined ? parent : new ValueNode(parent, traceParent, value);
}
