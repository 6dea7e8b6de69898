/** `teapot` as a name of TypeScript: `Teapot`. */
export function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

/** `AddTeapot` as the name of a method: `addTeapot`. */
export function uncapitalized(word: string): string {
  return word.slice(0, 1).toLowerCase() + word.slice(1);
}

/** What the rules below would get wrong, by their plurals. */
const exceptions: Readonly<Record<string, string>> = {
  brownies: 'brownie',
  cookies: 'cookie',
  lens: 'lens',
  movies: 'movie',
  news: 'news',
  people: 'person',
  series: 'series',
  smoothies: 'smoothie',
};

/** One of the things that a domain is called after: `sticker` of `stickers`, `battery` of `batteries`. A guess for English. */
export function singular(word: string): string {
  const exception = Object.hasOwn(exceptions, word) ? exceptions[word] : undefined;
  if (exception !== undefined) return exception;
  if (/..[^aeiou]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(?:[nrt]ch|sh|ss|x|zz|[^aeo]us)es$/.test(word)) return word.slice(0, -2);
  return /.[^siu]s$/.test(word) ? word.slice(0, -1) : word;
}

/** Several of them: `stickers` of `sticker`. A guess for English. */
export function plural(word: string): string {
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  if (/(?:s|x|z|ch|sh)$/.test(word)) return `${word}es`;
  return `${word}s`;
}

export function article(word: string): 'a' | 'an' {
  return /^[aeiou]/.test(word) ? 'an' : 'a';
}
