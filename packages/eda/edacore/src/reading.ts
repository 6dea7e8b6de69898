import { InvalidArgumentError, type ReadOptions } from '@samovar/eda';
import { checkFlag, checkWhole, idOf } from './checks.ts';
import type { Seq } from './ids.ts';
import { parseSelector, type Selector } from './selector.ts';

/** What is to be read. */
export interface Reading {
  readonly selector: Selector;
  /** The event to begin behind, or, backwards, before; undefined: at the first, or the last. */
  readonly after: Seq | undefined;
  readonly limit: number;
  readonly backwards: boolean;
  readonly watch: boolean;
}

/** @throws as `Conn.read` says. */
export function checkReading(log: number, text: string, options: ReadOptions = {}): Reading {
  const selector = parseSelector(text);
  const { after, limit = Number.POSITIVE_INFINITY, backwards = false, watch = false } = options;
  checkFlag('backwards', backwards);
  checkFlag('watch', watch);
  if (limit !== Number.POSITIVE_INFINITY) checkWhole('limit', limit, 0);
  if (backwards && watch) throw new InvalidArgumentError('watch', 'cannot be combined with backwards');
  return { selector, after: after === undefined ? undefined : idOf(log, 'after', after).seq, limit, backwards, watch };
}
