import { readFileSync } from 'node:fs';
import { startServer, type TestServer } from '@samovar/servertest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { examples, excerpts, readme } from './readme.ts';

const shown = excerpts(readme());
const tried = examples(readme());

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

it('shows a root, an impl, a double with its suite, a durable event, and an activity', () => {
  expect(shown.map(({ path }) => path.replace(/.*\//, ''))).toEqual([
    'numerical.ts',
    'service.ts',
    'module.ts',
    'fake.ts',
    'contract.ts',
    'stickers.ts',
    'herald.ts',
  ]);
});

it.each(shown)('shows what $path holds', ({ path, parts }) => {
  let rest = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  for (const part of parts) {
    expect(rest).toContain(part);
    rest = rest.slice(rest.indexOf(part) + part.length);
  }
});

it('has commands to try', () => {
  expect(tried.length).toBeGreaterThan(5);
});

// One after another: later ones ask for what earlier ones have changed.
it.each(tried)('prints what it says: $command', async ({ command, output }) => {
  const [, address, body] =
    /^curl '?([^' ]+)'?(?: -H 'content-type: application\/json' -d '(.*)')?$/.exec(command) ?? [];
  const url = new URL(`http://${address}`.replace('localhost:7420', new URL(server.url).host));
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', headers, body });
  expect((await response.text()).trimEnd()).toBe(output.trimEnd());
});
