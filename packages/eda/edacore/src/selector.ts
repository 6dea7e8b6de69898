import { InvalidSelectorError } from '@samovar/eda';

const token = /^[A-Za-z0-9_~-]+$/;
const longest = 255;

/** A parsed selector. */
export interface Selector {
  readonly text: string;
  /** all: every stream (`>`). exact: the one stream that `text` names. */
  readonly kind: 'all' | 'exact' | 'pattern';
  /** What the names of all matching streams begin with. */
  readonly prefix: string;
  matches(stream: string): boolean;
}

/** @throws {InvalidSelectorError} */
export function parseSelector(text: string): Selector {
  if (typeof text !== 'string' || text === '') throw new InvalidSelectorError(text, 'it is empty');
  if (text.length > longest) throw new InvalidSelectorError(text, `it has more than ${longest} characters`);
  const tokens = text.split('.');
  for (const [i, part] of tokens.entries()) {
    if (part === '>' && i < tokens.length - 1) throw new InvalidSelectorError(text, '> may only be its last token');
    if (part !== '*' && part !== '>' && !token.test(part)) {
      throw new InvalidSelectorError(
        text,
        'its dot-separated tokens may hold letters, digits, _, - and ~, or be * or >',
      );
    }
  }
  if (text === '>') return { text, kind: 'all', prefix: '', matches: () => true };
  const wild = text.search(/[*>]/);
  if (wild < 0) return { text, kind: 'exact', prefix: text, matches: (stream) => stream === text };
  const pattern = tokens.map((part) => (part === '*' ? '[^.]+' : part === '>' ? '.+' : part)).join('\\.');
  const regexp = new RegExp(`^${pattern}$`);
  return { text, kind: 'pattern', prefix: text.slice(0, wild), matches: (stream) => regexp.test(stream) };
}
