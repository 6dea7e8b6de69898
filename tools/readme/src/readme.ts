import { readFileSync } from 'node:fs';

/** An excerpt of a file of the workspace. */
export interface Excerpt {
  /** The file that its first line names, as `// packages/…`. */
  readonly path: string;
  /** What the file holds, in this order; between these, the README leaves out something. */
  readonly parts: readonly string[];
}

/** A command as one types it, and what it prints. */
export interface Example {
  readonly command: string;
  readonly output: string;
}

export const readme = (): string => readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');

export function excerpts(markdown: string): Excerpt[] {
  return [...markdown.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(([, path = '', text = '']) => ({
    path,
    parts: text.split(/^…\n/m).filter((part) => part !== ''),
  }));
}

export function examples(markdown: string): Example[] {
  return [...markdown.matchAll(/^```console\n(.*?)^```$/gms)].flatMap(([, text = '']) =>
    text
      .split(/^\$ /m)
      .slice(1)
      .map((example) => {
        const end = example.indexOf('\n');
        return { command: example.slice(0, end), output: example.slice(end + 1) };
      }),
  );
}
