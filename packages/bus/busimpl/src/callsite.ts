import { fileURLToPath } from 'node:url';

/** Where the function that calls this was called from, as `file:line:column`. */
export function callSite(): string {
  const frame: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 2;
  Error.captureStackTrace(frame, callSite);
  Error.stackTraceLimit = limit;
  return placeOf(frame.stack ?? '');
}

/** The place that a stack's last line names: `at name (place)` or `at place`. */
export function placeOf(stack: string): string {
  const line = stack.slice(stack.lastIndexOf('\n') + 1);
  const place = /\((.*:\d+:\d+)\)$/.exec(line)?.[1] ?? /^\s*at (?:async )?(.*:\d+:\d+)$/.exec(line)?.[1];
  if (place === undefined) return 'an unknown place';
  const url = /^(file:.*)(:\d+:\d+)$/.exec(place);
  return url === null ? place : `${fileURLToPath(url[1] as string)}${url[2]}`;
}
